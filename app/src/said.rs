//! A sentence in a cookie: of the server, for the page that a browser is led to next. In hexadecimal, which every cookie holds.

/// Sentences are shorter; what is longer is cut.
const LONGEST: usize = 600;

pub fn encode(text: &str) -> String {
    let mut end = text.len().min(LONGEST);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.as_bytes()[..end].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// `None` for what [`encode`] did not make.
pub fn decode(value: &str) -> Option<String> {
    if value.is_empty() || value.len() > 2 * LONGEST || !value.len().is_multiple_of(2) || !value.is_ascii() {
        return None;
    }
    let byte = |at: usize| u8::from_str_radix(value.get(at..at + 2)?, 16).ok();
    let bytes: Option<Vec<u8>> = (0..value.len()).step_by(2).map(byte).collect();
    String::from_utf8(bytes?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_comes_back_and_nonsense_does_not() {
        let text = "plant.example is not verified – ask an owner.";
        assert_eq!(decode(&encode(text)).as_deref(), Some(text));
        assert!(encode(text).bytes().all(|byte| byte.is_ascii_hexdigit()));
        assert_eq!(decode(&encode(&"ü".repeat(500))).map(|text| text.len()), Some(600));
        for wrong in ["", "0", "zz", "ff", "é0"] {
            assert_eq!(decode(wrong), None, "{wrong}");
        }
    }
}
