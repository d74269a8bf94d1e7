//! The resolver looks keys up by their path; what it finds is what a look at every key in turn finds, for
//! random documents, images and versions. `DOCUMENTS` says how many documents are tried (default 5,000).

use std::collections::BTreeMap;

use runner_auth::{Answer, Key, Loss, Match, RunnerVersion, Verdict, key_path_in, resolve};

use crate::random::{Random, check};

const SCHEMES: &[&str] = &["", "", "", "https://", "http://"];
const HOSTS: &[&str] = &["r.io", "R.io", "r.io:5000", "docker.io", "index.docker.io", "localhost"];
const PATHS: &[&str] = &["", "", "/", "/ns", "/ns/", "/ns:1", "/ns/app", "/ns/app/cache", "/v1/"];
const IMAGES: &[&str] = &["/app", "/ns/app:1", "/ns/app/cache/x", "/ns@sha256:0f", "/NS/app"];

/// Some of each way to make paths of keys and to choose among them.
const VERSIONS: &[&str] = &["12.9", "13.4", "17.4", "17.5", "18.1", "18.2", "18.3", "19.3"];

/// Whether a member is one of `credHelpers`, its key, and its number, which is its user or its helper.
type Named = (bool, String, usize);

fn members(random: &mut Random) -> Vec<Named> {
    let helpers = random.below(4) * random.below(2);
    let auths = random.below(8);
    let name = |number| {
        let key = [SCHEMES, HOSTS, PATHS].map(|pieces| random.pick(pieces)).concat();
        (number >= auths, key, number)
    };
    (0..auths + helpers).map(name).collect()
}

fn document(members: &[Named], store: bool) -> String {
    let object = |helpers: bool| {
        let members = members.iter().filter(|(helper, ..)| *helper == helpers);
        let member = members.map(|(_, key, number)| {
            if helpers {
                format!("\"{key}\": \"h{number}\"")
            } else {
                // Without an `auth`, whose base64 would have to be worked out here.
                format!("\"{key}\": {{\"username\": \"u{number}\", \"password\": \"p\"}}")
            }
        });
        format!("{{{}}}", member.collect::<Vec<_>>().join(", "))
    };
    let store = if store { ", \"credsStore\": \"pass\"" } else { "" };
    format!("{{\"auths\": {}, \"credHelpers\": {}{store}}}", object(false), object(true))
}

/// Of several with one key the last counts, and a helper before what `auths` has; and why others lose.
fn counting(members: &[Named]) -> (BTreeMap<&str, &Named>, Vec<(String, Loss)>) {
    let mut counting: BTreeMap<&str, &Named> = BTreeMap::new();
    let mut hidden = Vec::new();
    for member in members {
        if let Some((helper, ..)) = counting.insert(&member.1, member) {
            let reason = if *helper == member.0 { Loss::Repeated } else { Loss::Helper };
            hidden.push((member.1.clone(), reason));
        }
    }
    (counting, hidden)
}

#[test]
fn a_key_is_found_as_by_a_look_at_each_of_them() {
    let count = std::env::var("DOCUMENTS").ok().and_then(|count| count.parse().ok());
    let count: usize = count.unwrap_or(5_000);
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    check(count, |random| {
        let members = members(random);
        let has_store = random.below(4) == 0;
        let document = document(&members, has_store);
        let image = [HOSTS, IMAGES].map(|pieces| random.pick(pieces)).concat();
        let version = RunnerVersion::parse(random.pick(VERSIONS)).expect("a version");
        let resolution = resolve(&document, &image, version);
        let (counting, mut losers) = counting(&members);
        let fits = |key: &str, path: &str| key_path_in(key, version) == path;
        losers.retain(|(key, _)| resolution.candidates.iter().any(|path| fits(key, path)));
        let mut winners: Vec<Match> = Vec::new();
        for path in &resolution.candidates {
            let here = counting.values().filter(|(_, key, _)| fits(key, path));
            let is_longest = winners.is_empty();
            for (helper, key, number) in here {
                if is_longest && (winners.is_empty() || !version.sorts_keys()) {
                    let answer = if *helper {
                        Answer::Helper(format!("h{number}"))
                    } else if version.reads_plain_fields() {
                        Answer::User(format!("u{number}"))
                    } else {
                        Answer::Empty
                    };
                    let key = Key::from(key.as_str());
                    winners.push(Match { key, path: path.clone(), answer });
                } else {
                    let reason = if is_longest { Loss::SortsLater } else { Loss::Shorter };
                    losers.push((key.clone(), reason));
                }
            }
        }
        let (kind, verdict) = match winners.len() {
            0 if has_store => ("store", Verdict::Store("pass".into())),
            0 => ("none", Verdict::NoMatch),
            1 => ("one", Verdict::Match(winners.remove(0))),
            _ => {
                let one_is_empty = winners.iter().any(|found| found.answer == Answer::Empty);
                ("at random", Verdict::AtRandom { keys: winners, more: 0, one_is_empty })
            }
        };
        let about = format!("{image} in {document} for {version}");
        let losers: Vec<_> =
            losers.into_iter().map(|(key, reason)| (Key::from(&*key), reason)).collect();
        let found = resolution.losers.into_iter().map(|loser| (loser.key, loser.reason));
        assert_eq!(resolution.verdict, verdict, "{about}");
        assert_eq!(found.collect::<Vec<_>>(), losers, "{about}");
        *seen.entry(kind).or_default() += 1;
    });
    println!("{count} documents: {seen:?}");
    for kind in ["store", "none", "one", "at random"] {
        assert!(seen.get(kind).is_some_and(|seen| *seen > count / 100), "{seen:?}");
    }
}
