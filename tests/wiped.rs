//! A program that uses the library, with an allocator of its own: no memory may be given back with a secret in it.
//!
//! The command wipes all that it gives back; the library has to do so by itself.

// A test may end by panicking and says what it saw.
#![allow(
    clippy::panic,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::print_stdout,
    unsafe_code
)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::hint::black_box;

use runner_auth::diff::diff;
use runner_auth::{
    Config, ConfigText, Credential, Plan, Redaction, Registry, Removal, Request, Secret,
};

/// What must not be left, with the bytes in base64 that hold it wherever it starts.
const SECRETS: [&[u8]; 4] = [b"Vt9kQ2mXw7", b"VnQ5a1EybVh3N", b"old-Zr4pL8", b"b2xkLVpyNHBMO"];

thread_local! {
    /// Whether this thread looks.
    static LOOKS: Cell<bool> = const { Cell::new(false) };
    /// How many pieces of memory were given back with a secret in them.
    static LEFT: Cell<usize> = const { Cell::new(0) };
}

/// The system's allocator, which looks into what it is given back.
struct Looking;

// SAFETY: all is done by the system's allocator. What is read is memory that its owner gives back, after its last use and
// before the system has it; bytes that nobody has written yet were set to zero.
unsafe impl GlobalAlloc for Looking {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        if LOOKS.get() {
            let bytes = unsafe { std::slice::from_raw_parts(memory, layout.size()) };
            let holds =
                |secret: &&[u8]| bytes.windows(secret.len()).any(|window| window == *secret);
            if SECRETS.iter().any(holds) {
                LOOKS.set(false);
                LEFT.set(LEFT.get() + 1);
                println!("{}", std::backtrace::Backtrace::force_capture());
                LOOKS.set(true);
            }
        }
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Looking = Looking;

/// How many pieces of memory a piece of work leaves with a secret in them.
fn left_by(work: impl FnOnce()) -> usize {
    LEFT.set(0);
    LOOKS.set(true);
    work();
    LOOKS.set(false);
    LEFT.get()
}

fn login() -> Vec<(Registry, Credential)> {
    let registry = Registry::parse("registry.example.com").expect("a registry");
    let password = Secret::new("Vt9kQ2mXw7".to_owned());
    vec![(registry, Credential::new("ci", password).expect("a credential"))]
}

fn config(environment: &str) -> ConfigText {
    let text = format!("[[runners]]\n  name = 'one'\n  executor = 'docker'\n{environment}");
    ConfigText::new("config.toml", text.into_bytes())
}

/// An entry for another registry, in each of TOML's ways to write it.
const OLD: [&str; 4] = [
    "",
    "  environment = ['DOCKER_AUTH_CONFIG={\"auths\": {\"r.io\": {\"auth\": \"YTpvbGQtWnI0cEw4\"}}}']\n",
    "  environment = [\"A=b\", \"DOCKER_AUTH_CONFIG={\\\"auths\\\":{\\\"r.io\\\":{\\\"auth\\\":\\\"YTpvbGQtWnI0cEw4\\\"}}}\"]\n",
    "  environment = [\n    '''DOCKER_AUTH_CONFIG={\n  \"auths\": {\n    \"r.io\": {\n      \"auth\": \"YTpvbGQtWnI0cEw4\"\n    }\n  }\n}''',\n  ]\n",
];

#[test]
fn the_allocator_sees_what_is_left() {
    assert_eq!(left_by(|| drop(black_box("Vt9kQ2mXw7".to_owned()))), 1);
    assert_eq!(left_by(|| drop(black_box(Secret::new("Vt9kQ2mXw7".to_owned())))), 0);
}

#[test]
fn a_change_leaves_no_secret_behind() {
    let requests = [
        Request::Set { logins: login(), replace: false, pull_policies: Vec::new() },
        Request::Set { logins: login(), replace: true, pull_policies: Vec::new() },
        Request::Remove(Removal {
            registries: vec![Registry::parse("r.io").expect("a registry")],
            ..Removal::default()
        }),
        Request::RemoveEntry,
    ];
    for old in OLD {
        for request in &requests {
            let left = left_by(|| {
                let text = config(old);
                let config = Config::parse(&text).expect("a config");
                let plan = Plan::make(&config, &[0], request).expect("a plan");
                let mut redaction = Redaction::new(false);
                redaction.learn_config(&config);
                black_box(diff(&config, &plan, &redaction, 3));
            });
            assert_eq!(left, 0, "{request:?} of {old}");
        }
    }
}
