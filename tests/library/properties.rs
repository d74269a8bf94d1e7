//! The checks of every change on generated configs. `PROPERTY_CASES` says how many (default 2000).

use std::collections::BTreeMap;

use crate::random::{Random, check};
use crate::support::{
    PREFIX, and_pull, change, document, has_auth_entry, has_empty_environment, has_policy, lossy,
    pull, remove, set,
};
use runner_auth::{Config, ConfigText, PullPolicy};

/// Counts how many cases met each feature.
type Seen = BTreeMap<&'static str, usize>;

const LAYOUTS: &[&str] = &[
    "missing",
    "empty",
    "one line",
    "padded",
    "trailing comma",
    "lines",
    "lines with trailing comma",
    "lines with comments",
    "leading commas",
    "hanging",
];
const DOCUMENTS: &[&str] = &["none", "compact", "spaced", "pretty", "empty", "plain", "shadowed"];
const QUOTINGS: &[&str] = &["literal", "basic", "multi-line literal", "multi-line basic"];

fn json(style: &str, registry: &str) -> String {
    let auth = "b2xkOm9sZA==";
    match style {
        "compact" => format!(
            "{{\"auths\":{{\"{registry}\":{{\"auth\":\"{auth}\"}},\"k.io\":{{\"auth\":\"{auth}\"}}}}}}"
        ),
        "pretty" => format!(
            "{{\n  \"auths\": {{\n    \"k.io\": {{\n      \"auth\": \"{auth}\"\n    }},\n    \"{registry}\": {{\n      \"auth\": \"{auth}\",\n      \"email\": \"x\"\n    }}\n  }}\n}}"
        ),
        "empty" => String::new(),
        "plain" => format!(
            "{{\"auths\": {{\"k.io\": {{\"auth\": \"{auth}\"}}, \"{registry}\": {{\"username\": \"old\", \"password\": \"old\"}}}}}}"
        ),
        _ => format!(
            "{{\"auths\": {{ \"{registry}\": {{ \"auth\": \"{auth}\" }}, \"k.io\": {{ \"auth\": \"{auth}\" }} }}, \"HttpHeaders\": {{\"a\": \"b\"}}}}"
        ),
    }
}

fn quoted(text: &str, quoting: &str) -> String {
    let escaped = || text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    match quoting {
        "literal" if !text.contains('\n') => format!("'{text}'"),
        "literal" | "multi-line literal" => format!("'''{text}'''"),
        "multi-line basic" => format!("\"\"\"{text}\"\"\""),
        _ => format!("\"{}\"", escaped()),
    }
}

fn array(layout: &str, elements: &[String], indent: &str) -> String {
    match layout {
        "padded" => format!("[ {} ]", elements.join(" , ")),
        "trailing comma" if !elements.is_empty() => format!("[{},]", elements.join(", ")),
        "lines" => format!("[\n{indent}  {}\n{indent}]", elements.join(&format!(",\n{indent}  "))),
        "lines with trailing comma" if !elements.is_empty() => {
            format!("[\n{indent}  {},\n{indent}]", elements.join(&format!(",\n{indent}  ")))
        }
        "lines with comments" => {
            let last = elements.len().saturating_sub(1);
            let line = |(number, element): (usize, &String)| {
                format!(
                    "{indent}  # it's, \"above\"\n{indent}  {element}{} # b, c = d\n",
                    if number == last { "" } else { "," }
                )
            };
            let lines: String = elements.iter().enumerate().map(line).collect();
            format!("[ # x\n{lines}{indent}  # the end ]\n{indent}]")
        }
        "leading commas" => format!("[ {}\n{indent}]", elements.join(&format!("\n{indent}, "))),
        "hanging" => format!("[{}]", elements.join(&format!(",\n{indent}       "))),
        _ => format!("[{}]", elements.join(", ")),
    }
}

/// The forms in which the table of an executor may stand.
const TABLES: &[&str] =
    &["no table", "an inline table", "dotted keys", "a section", "an empty section", "sub-tables"];

/// What `pull_policy` is before, if it is there; `None` is no value.
fn policy(random: &mut Random, indent: &str) -> Option<String> {
    let element = |random: &mut Random| {
        let quoting = QUOTINGS[random.below(2)];
        quoted(random.pick(&["always", "if-not-present", "never"]), quoting)
    };
    match random.below(4) {
        0 => None,
        1 => Some(element(random)),
        _ => {
            let layout = LAYOUTS[1 + random.below(LAYOUTS.len() - 1)];
            let count = if layout == "empty" { 0 } else { 1 + random.below(3) };
            let elements: Vec<_> = (0..count).map(|_| element(random)).collect();
            Some(array(layout, &elements, indent))
        }
    }
}

/// The table of a runner's executor: what stands among its own keys, and what below.
fn table(
    random: &mut Random,
    executor: &str,
    indent: &str,
    count: &mut impl FnMut(&'static str),
) -> (String, String) {
    let names = if executor == "kubernetes" {
        ["kubernetes", "Kubernetes", "\"kubernetes\""]
    } else {
        ["docker", "Docker", "'docker'"]
    };
    let name = random.pick(&names);
    let form = TABLES[random.below(TABLES.len())];
    count(form);
    let key = random.pick(&["pull_policy", "Pull_Policy", "'pull_policy'"]);
    let equals = random.pick(&[" = ", "="]);
    let policy = policy(random, indent).filter(|_| !matches!(form, "no table" | "sub-tables"));
    count(if policy.is_some() { "a policy" } else { "no policy" });
    let policy = policy.map(|value| format!("{key}{equals}{value}"));
    match form {
        "an inline table" => {
            let image = (random.below(3) > 0).then(|| "image = \"alpine\"".to_owned());
            let members: Vec<_> = image.into_iter().chain(policy).collect();
            let pad = random.pick(&["", " "]);
            (format!("{indent}{name} = {{{pad}{}{pad}}} # x\n", members.join(", ")), String::new())
        }
        "dotted keys" => {
            let policy =
                policy.map_or(String::new(), |policy| format!("{indent}{name}.{policy}\n"));
            (format!("{indent}{name}.image = \"alpine\"\n{policy}"), String::new())
        }
        "a section" => {
            let policy =
                policy.map_or(String::new(), |policy| format!("{indent}{policy} # p = x\n"));
            let section =
                format!("{indent}[runners.{name}] # x\n{indent}  image = 'alpine'\n{policy}");
            (String::new(), format!("{section}{indent}# the end\n"))
        }
        "an empty section" => {
            let policy = policy.map_or(String::new(), |policy| format!("\n{indent}  {policy}\n"));
            (String::new(), format!("{indent}[ runners . {name} ]\n{policy}"))
        }
        "sub-tables" => {
            (String::new(), format!("{indent}[runners.{name}.volumes]\n{indent}a = 1\n"))
        }
        _ => (String::new(), String::new()),
    }
}

fn runner(random: &mut Random, number: usize, seen: &mut Seen) -> String {
    let mut count = |feature: &'static str| *seen.entry(feature).or_default() += 1;
    let indent = random.pick(&["", "  ", "\t", "    "]);
    let key = random.pick(&["name", "Name", "\"name\"", "'name'"]);
    let header = random.pick(&["[[runners]]", "[[ runners ]] # x", "  [[runners]]"]);
    let mut text = format!("{header}\n{indent}{key} = \"r{number}\" # \"quoted\"\n");
    let token = random.pick(&["= \"t1_abcdefghijklmn\"", "= ''", "=\"x\""]);
    text.push_str(&format!("{indent}token {token}\n"));
    let executors = ["docker", "docker+machine", "docker-autoscaler", "kubernetes", "shell"];
    let executor = random.pick(&executors);
    count(executor);
    text.push_str(&format!("{indent}executor = \"{executor}\"\n"));
    let (own, below) = table(random, executor, indent, &mut count);
    text.push_str(&own);
    let layout = LAYOUTS[random.below(LAYOUTS.len())];
    count(layout);
    if layout != "missing" {
        let style = DOCUMENTS[random.below(DOCUMENTS.len())];
        let quoting = QUOTINGS[random.below(QUOTINGS.len())];
        let mut elements = Vec::new();
        if layout != "empty" {
            let others = random.below(3);
            elements.extend((0..others).map(|n| quoted(&format!("V{n}=a,[]#b"), quoting)));
            if style != "none" {
                count(style);
                count(quoting);
                let registry = random.pick(&["r.io", "R.IO", "https://r.io/v1/", "q.io"]);
                let entry = quoted(&format!("{PREFIX}{}", json(style, registry)), quoting);
                let at = random.below(elements.len() + 1);
                elements.insert(at, entry);
                if style == "shadowed" {
                    elements.insert(
                        0,
                        quoted(&format!("{PREFIX}{}", json("compact", "h.io")), "basic"),
                    );
                }
            }
        }
        let key = random.pick(&["environment", "Environment", "\"environment\""]);
        let equals = random.pick(&[" = ", "="]);
        text.push_str(&format!("{indent}{key}{equals}{}\n", array(layout, &elements, indent)));
    }
    if random.below(2) == 0 {
        count("keys after it");
        text.push_str(&format!("{indent}limit = 0\n\n{indent}# a comment\n"));
    }
    if random.below(2) == 0 {
        count("a sub-table");
        text.push_str(&format!("{indent}[runners.cache]\n{indent}  environment = [\"A=b\"]\n"));
    }
    if random.below(4) == 0 {
        count("another table between");
        text.push_str(&format!("\n[other{number}]\nx = [1, {{y = 2}}]\n"));
    }
    text.push_str(&below);
    text
}

fn inline_runner(random: &mut Random, number: usize) -> String {
    let equals = random.pick(&[" = ", "="]);
    let executor = random.pick(&["docker", "kubernetes", "shell"]);
    let mut members =
        vec![format!("name{equals}\"r{number}\""), format!("executor{equals}'{executor}'")];
    if random.below(2) == 0 {
        let entry = quoted(&format!("{PREFIX}{}", json("spaced", "r.io")), "literal");
        let entries = if random.below(2) == 0 { vec![entry] } else { Vec::new() };
        members.push(format!("environment = {}", array("one line", &entries, "")));
    }
    let (own, _) = table(random, executor, "", &mut |_| ());
    let own = own.trim_end().trim_end_matches("# x").trim_end();
    // Several dotted keys stand on several lines.
    members.extend(own.lines().next().filter(|line| *line == own).map(str::to_owned));
    let pad = random.pick(&["", " "]);
    format!("{{{pad}{}{pad}}}", members.join(", "))
}

fn config(random: &mut Random, seen: &mut Seen) -> (Vec<u8>, usize) {
    let count = 1 + random.below(4);
    let mut text = random.pick(&["", "concurrent = 1\n", "# only = comments\n\n"]).to_owned();
    if random.below(8) == 0 {
        *seen.entry("inline runners").or_default() += 1;
        let runners: Vec<_> = (0..count).map(|number| inline_runner(random, number)).collect();
        text.push_str(&format!("runners = {}\n", array("lines", &runners, "")));
    } else {
        for number in 0..count {
            text.push_str(&runner(random, number, seen));
        }
    }
    match random.below(4) {
        0 => {
            *seen.entry("CRLF").or_default() += 1;
            text = text.replace('\n', "\r\n");
        }
        1 => {
            *seen.entry("mixed line ends").or_default() += 1;
            text = text.replacen('\n', "\r\n", 5);
        }
        _ => {}
    }
    if random.below(3) == 0 {
        *seen.entry("no final line end").or_default() += 1;
        text.truncate(text.trim_end().len());
    }
    if random.below(8) == 0 {
        *seen.entry("a byte order mark").or_default() += 1;
        text.insert(0, '\u{feff}');
    }
    (text.into_bytes(), count)
}

/// For runners without an auth entry `remove` undoes `set`, but for an empty array of their own.
fn undone(before: &[u8], runners: usize, seen: &mut Seen) {
    for number in 0..runners {
        if has_auth_entry(before, number) {
            continue;
        }
        let after = change(before, &[number], &set("r.io", "s3cret"));
        let back = change(&after, &[number], &remove("r.io"));
        if has_empty_environment(before, number) {
            *seen.entry("an empty array of its own").or_default() += 1;
        } else {
            *seen.entry("set and remove").or_default() += 1;
            assert_eq!(lossy(&back), lossy(before), "by way of\n{}", lossy(&after));
        }
    }
}

#[test]
fn only_what_is_meant_changes() {
    let cases = std::env::var("PROPERTY_CASES").ok().and_then(|cases| cases.parse().ok());
    let cases: usize = cases.unwrap_or(2000);
    let mut seen = Seen::new();
    for feature in [LAYOUTS, DOCUMENTS, QUOTINGS, TABLES].into_iter().flatten() {
        if *feature != "none" {
            seen.insert(feature, 0);
        }
    }
    check(cases, |random| {
        let (bytes, count) = config(random, &mut seen);
        let selected = match random.below(3) {
            0 => (0..count).collect(),
            _ => vec![random.below(count)],
        };
        let text = ConfigText::new("config.toml", bytes.clone());
        let parsed = Config::parse(&text).expect("a config");
        let with_policies = selected.iter().all(|&number| has_policy(&parsed, number));
        let mut policies = || -> Vec<_> {
            (0..=random.below(3)).map(|_| PullPolicy::ALL[random.below(3)]).collect()
        };
        let mut request = set("r.io", "s3cret");
        if with_policies {
            request = and_pull(request, &policies());
            let after = change(&bytes, &selected, &pull(&policies()));
            change(&after, &selected, &pull(&policies()));
        }
        let after = change(&bytes, &selected, &request);
        for &number in &selected {
            let document = document(&after, number).expect("there is a document");
            let auths = document["auths"].as_object().expect("with auths");
            let held = auths.iter().any(|(key, value)| {
                key.to_lowercase().contains("r.io") && value["auth"] == "Y2k6czNjcmV0"
            });
            assert!(held, "{}", lossy(&after));
        }
        change(&bytes, &selected, &remove("r.io"));
        change(&after, &selected, &remove("r.io"));
        undone(&bytes, count, &mut seen);
    });
    println!("{cases} cases");
    for (feature, count) in &seen {
        println!("{count:7} {feature}");
        assert!(*count > 0, "no case met {feature}");
    }
}
