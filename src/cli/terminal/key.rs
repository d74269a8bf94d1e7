//! Keys, as a terminal sends them.

use zeroize::Zeroizing;

/// What a person pressed, by what it does in a line of text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Key {
    Letter(char),
    /// What the terminal says was pasted.
    Paste(Zeroizing<String>),
    Enter,
    Tab,
    Escape,
    Backspace,
    Delete,
    Left,
    Right,
    Up,
    Down,
    PageUp,
    PageDown,
    Home,
    End,
    WordLeft,
    WordRight,
    /// Ctrl-A.
    LineStart,
    /// Ctrl-E.
    LineEnd,
    /// Ctrl-U.
    CutToStart,
    /// Ctrl-K.
    CutToEnd,
    /// Ctrl-W.
    CutWord,
    /// Alt-Backspace.
    CutWordLeft,
    /// Alt-D.
    CutWordRight,
    /// Ctrl-C.
    Interrupt,
    /// Ctrl-\.
    Quit,
    /// Ctrl-D.
    EndOfInput,
    /// Ctrl-Z.
    Suspend,
    /// Bytes that are not UTF-8.
    NotText,
    /// A key that does nothing here.
    Other,
}

/// Reads one key. `next` gives the byte that follows at once; `None` when none does.
pub(super) fn read(first: u8, mut next: impl FnMut() -> Option<u8>) -> Key {
    match first {
        b'\r' | b'\n' => Key::Enter,
        b'\t' => Key::Tab,
        0x1b => after_escape(&mut next),
        1 => Key::LineStart,
        2 => Key::Left,
        3 => Key::Interrupt,
        4 => Key::EndOfInput,
        5 => Key::LineEnd,
        6 => Key::Right,
        8 | 127 => Key::Backspace,
        11 => Key::CutToEnd,
        14 => Key::Down,
        16 => Key::Up,
        21 => Key::CutToStart,
        23 => Key::CutWord,
        26 => Key::Suspend,
        28 => Key::Quit,
        0..32 => Key::Other,
        _ => letter(first, &mut next),
    }
}

/// Alone it is the key of that name; an Alt key and those without a letter begin with it too.
fn after_escape(next: &mut impl FnMut() -> Option<u8>) -> Key {
    // With Alt, some terminals put another one before an arrow.
    let byte = loop {
        match next() {
            None => return Key::Escape,
            Some(0x1b) => {}
            Some(byte) => break byte,
        }
    };
    match byte {
        b'[' => control_sequence(next),
        b'O' => next().map_or(Key::Other, |last| named(last, 1)),
        b'b' | b'B' => Key::WordLeft,
        b'f' | b'F' => Key::WordRight,
        b'd' | b'D' => Key::CutWordRight,
        8 | 127 => Key::CutWordLeft,
        _ => Key::Other,
    }
}

/// `ESC [`, numbers, and a last byte that says what they mean (ECMA-48, as xterm uses it).
fn control_sequence(next: &mut impl FnMut() -> Option<u8>) -> Key {
    let mut numbers = String::new();
    let last = loop {
        match next() {
            Some(last @ 0x40..=0x7e) => break last,
            Some(byte) if numbers.len() < 32 => numbers.push(char::from(byte)),
            _ => return Key::Other,
        }
    };
    let mut numbers = numbers.split(';').map(|number| number.parse::<u32>().ok());
    let (first, modifier) = (numbers.next().flatten(), numbers.next().flatten());
    match (last, first) {
        (b'~', Some(1 | 7)) => Key::Home,
        (b'~', Some(3)) => Key::Delete,
        (b'~', Some(4 | 8)) => Key::End,
        (b'~', Some(5)) => Key::PageUp,
        (b'~', Some(6)) => Key::PageDown,
        (b'~', Some(200)) => pasted(next),
        (b'~', _) => Key::Other,
        _ => named(last, modifier.unwrap_or(1)),
    }
}

/// Keys that have a letter of their own. A modifier of 1 is none.
fn named(last: u8, modifier: u32) -> Key {
    match (last, modifier) {
        (b'A', _) => Key::Up,
        (b'B', _) => Key::Down,
        (b'C', 1) => Key::Right,
        (b'D', 1) => Key::Left,
        (b'C', _) => Key::WordRight,
        (b'D', _) => Key::WordLeft,
        (b'H', _) => Key::Home,
        (b'F', _) => Key::End,
        (b'M', _) => Key::Enter,
        // Shift-Tab.
        (b'Z', _) => Key::Escape,
        _ => Key::Other,
    }
}

/// What stands between the marks that a terminal puts around a paste.
fn pasted(next: &mut impl FnMut() -> Option<u8>) -> Key {
    const END: &[u8] = b"\x1b[201~";
    let mut bytes = Zeroizing::new(Vec::with_capacity(4096));
    while !bytes.ends_with(END) {
        match next() {
            Some(byte) => bytes.push(byte),
            // A terminal that forgets the end has pasted all the same.
            None => break,
        }
    }
    let text = bytes.strip_suffix(END).unwrap_or(&bytes);
    std::str::from_utf8(text)
        .map_or(Key::NotText, |text| Key::Paste(Zeroizing::new(text.to_owned())))
}

/// A letter of one to four bytes.
fn letter(first: u8, next: &mut impl FnMut() -> Option<u8>) -> Key {
    let length = match first {
        0..0x80 => 1,
        0xc2..0xe0 => 2,
        0xe0..0xf0 => 3,
        0xf0..0xf5 => 4,
        _ => return Key::NotText,
    };
    let mut bytes = [first, 0, 0, 0];
    for byte in &mut bytes[1..length] {
        let Some(found) = next() else { return Key::NotText };
        *byte = found;
    }
    let text = std::str::from_utf8(&bytes[..length]);
    match text.ok().and_then(|text| text.chars().next()) {
        Some(letter) if letter.is_control() => Key::Other,
        Some(letter) => Key::Letter(letter),
        None => Key::NotText,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(bytes: &[u8]) -> Vec<Key> {
        let mut bytes = bytes.iter().copied();
        let mut keys = Vec::new();
        while let Some(first) = bytes.next() {
            keys.push(read(first, || bytes.next()));
        }
        keys
    }

    #[test]
    fn keys_are_what_xterm_and_the_linux_console_send() {
        for (bytes, key) in [
            (&b"\x1b[D"[..], Key::Left),
            (b"\x1bOC", Key::Right),
            (b"\x1b[1;5D", Key::WordLeft),
            (b"\x1b[1;3C", Key::WordRight),
            (b"\x1bb", Key::WordLeft),
            (b"\x1bf", Key::WordRight),
            (b"\x1b[H", Key::Home),
            (b"\x1b[1~", Key::Home),
            (b"\x1b[4~", Key::End),
            (b"\x1b[3~", Key::Delete),
            (b"\x1b[5~", Key::PageUp),
            (b"\x1b[Z", Key::Escape),
            (b"\x1b", Key::Escape),
            (b"\x1b[24~", Key::Other),
            (b"\x1bq", Key::Other),
            (b"\x07", Key::Other),
            ("\u{e4}".as_bytes(), Key::Letter('\u{e4}')),
            (b"\xe4", Key::NotText),
            (b"\x15", Key::CutToStart),
            (b"\x17", Key::CutWord),
            (b"\x0b", Key::CutToEnd),
            (b"\x1a", Key::Suspend),
        ] {
            assert_eq!(keys(bytes), [key], "{bytes:?}");
        }
    }

    #[test]
    fn a_paste_is_one_key_whatever_is_in_it() {
        let paste = |text: &str| Key::Paste(Zeroizing::new(text.to_owned()));
        assert_eq!(
            keys(b"a\x1b[200~r.io\nrm\x1b[201~b"),
            [Key::Letter('a'), paste("r.io\nrm"), Key::Letter('b'),]
        );
        assert_eq!(keys(b"\x1b[200~cut off"), [paste("cut off")]);
        assert_eq!(keys(b"\x1b[200~\xe4\x1b[201~"), [Key::NotText]);
    }
}
