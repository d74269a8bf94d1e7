//! A walk through a text that is known to be JSON: where the names and the values of an object stand.

use std::ops::Range;

use memchr::memchr2;

/// A place in a document. It starts at the brace of an object.
pub(super) struct Walk<'t> {
    bytes: &'t [u8],
    at: usize,
}

impl<'t> Walk<'t> {
    pub fn new(text: &'t str, object: &Range<usize>) -> Self {
        Self { bytes: text.as_bytes(), at: object.start }
    }

    /// Goes into the object that stands here.
    pub fn open(&mut self) {
        self.at += 1;
    }

    /// Leaves the object of which all members are behind.
    pub fn close(&mut self) {
        self.at += 1;
    }

    /// The name of the next member, in its quotes; `None` where the object ends.
    pub fn name(&mut self) -> Option<Range<usize>> {
        (self.skip(b" \t\r\n,") == Some(b'"')).then(|| self.piece())
    }

    /// Whether the value of the member, whose name is behind, is an object.
    pub fn is_at_object(&mut self) -> bool {
        self.skip(b" \t\r\n:") == Some(b'{')
    }

    /// The value of the member, whatever it is.
    pub fn value(&mut self) -> Range<usize> {
        self.skip(b" \t\r\n:");
        self.piece()
    }

    /// Goes over what stands between names and values; gives the byte that follows.
    fn skip(&mut self, between: &[u8]) -> Option<u8> {
        let rest = self.bytes.get(self.at..)?;
        let length = rest.iter().position(|byte| !between.contains(byte))?;
        self.at += length;
        rest.get(length).copied()
    }

    /// The value that begins here.
    fn piece(&mut self) -> Range<usize> {
        let start = self.at;
        let mut depth = 0_usize;
        while let Some(&byte) = self.bytes.get(self.at) {
            match byte {
                b'"' => {
                    let end = string_end(self.bytes, self.at + 1);
                    self.at = end.unwrap_or(self.bytes.len());
                    if depth == 0 {
                        break;
                    }
                    continue;
                }
                b'{' | b'[' => depth += 1,
                b'}' | b']' if depth > 1 => depth -= 1,
                b'}' | b']' => {
                    // That of the value itself, or of the object which it is the last of.
                    self.at += depth;
                    break;
                }
                b',' | b' ' | b'\t' | b'\r' | b'\n' if depth == 0 => break,
                _ => {}
            }
            self.at += 1;
        }
        start..self.at
    }
}

/// Where a string ends that begins before a byte; behind its quote.
pub(super) fn string_end(bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = start;
    loop {
        let next = at + memchr2(b'"', b'\\', bytes.get(at..)?)?;
        if bytes[next] == b'"' {
            return Some(next + 1);
        }
        at = next + 2;
    }
}

#[cfg(test)]
pub(super) mod documents {
    use proptest::prelude::*;

    /// Objects in each other, with names, strings and blanks of every kind.
    pub fn json() -> impl Strategy<Value = String> {
        let string = || {
            prop::sample::select(vec![
                "\"\"",
                "\"x\"",
                "\"a:b\"",
                "\"q\\\"{\"",
                "\"\\\\\"",
                "\"\\u0041\"",
                "\"\\ud800\"",
                "\"é}\"",
            ])
        };
        let leaf = prop_oneof![
            string().prop_map(str::to_owned),
            prop::sample::select(vec!["1", "null", "true", "[]", "[\"in\", \"array\"]"])
                .prop_map(str::to_owned),
        ];
        leaf.prop_recursive(5, 40, 5, move |inner| {
            let name = prop_oneof![
                prop::sample::select(vec![
                    "\"auths\"",
                    "\"auth\"",
                    "\"username\"",
                    "\"email\"",
                    "\"credsStore\"",
                    "\"credHelpers\"",
                    "\"CredHelpers\"",
                    "\"r.io\"",
                ]),
                string(),
            ];
            let blank = prop::sample::select(vec!["", " ", "\n", "\t "]);
            prop::collection::vec((name, blank, inner), 0..5).prop_map(|members| {
                let members = members
                    .iter()
                    .map(|(name, blank, value)| format!("{blank}{name}{blank}:{value}"));
                format!("{{{}}}", members.collect::<Vec<_>>().join(","))
            })
        })
    }
}
