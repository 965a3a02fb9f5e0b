//! How masks are said and what the form offers. Plain Rust.

use clarity_domain::{
    masking::{ANY_STREAM, MaskPlace, MaskRule, mask_text},
    role::Role,
    view::masking::{MaskRow, MaskableStream},
};

/// What a form has at first.
pub const USUAL_AMOUNT: &str = "4";

/// Rules: the word in forms, and what it does.
pub fn rules() -> Vec<(String, String)> {
    let all = [
        ("hide", "Hide it"),
        ("hash", "Hash with key"),
        ("partial", "Keep the last characters"),
        ("bucket", "Round down to steps"),
    ];
    all.map(|(key, words)| (key.to_owned(), words.to_owned())).to_vec()
}

pub fn places() -> Vec<(String, String)> {
    [MaskPlace::Agent, MaskPlace::View].map(|place| (place.as_str().to_owned(), place_name(place).to_owned())).to_vec()
}

pub const fn place_name(place: MaskPlace) -> &'static str {
    match place {
        MaskPlace::Agent => "At the agent",
        MaskPlace::View => "In views, by role",
    }
}

/// Who may still see a value in the clear where it is masked by role.
pub fn seers() -> Vec<(String, String)> {
    let all =
        [(Role::Operator, "Operators and above"), (Role::Admin, "Admins and above"), (Role::Owner, "Owners only")];
    all.map(|(role, words)| (role.as_str().to_owned(), words.to_owned())).to_vec()
}

/// "Nobody" for a mask at the agent: it is gone for all.
pub const fn seen_by(row: &MaskRow) -> &'static str {
    match (row.place, row.least_role) {
        (MaskPlace::Agent, _) | (_, None) => "Nobody",
        (_, Some(Role::Owner)) => "Owners",
        (_, Some(Role::Admin)) => "Admins and above",
        (_, Some(Role::Operator)) => "Operators and above",
        (_, Some(Role::Viewer)) => "Everybody",
    }
}

/// Streams to choose from: every one, those of each source, and each by itself.
pub fn streams(known: &[MaskableStream]) -> Vec<(String, String)> {
    let mut all = vec![(ANY_STREAM.to_owned(), "Every stream of every source".to_owned())];
    for (place, of) in known.iter().enumerate() {
        if place == 0 || known[place - 1].source_id != of.source_id {
            all.push((format!("{} {ANY_STREAM}", of.source_id), format!("{}: every stream", of.source)));
        }
        if let Some(stream) = &of.stream {
            all.push((format!("{} {stream}", of.source_id), format!("{}: {stream}", of.source)));
        }
    }
    all
}

/// Fields and tags to type the beginning of, each once.
pub fn fields(known: &[MaskableStream]) -> Vec<String> {
    let mut all: Vec<String> = known.iter().flat_map(|of| of.fields.iter().chain(&of.tags)).cloned().collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// Where a row's field is: "plant-db, public.staff".
pub fn place_of(row: &MaskRow) -> String {
    let source = row.source.as_deref().unwrap_or("every source");
    let stream = if row.stream == ANY_STREAM { "every stream" } else { &row.stream };
    format!("{source}, {stream}")
}

/// Whether the agents do it: the tone is good when all do.
pub fn progress(row: &MaskRow) -> Option<(bool, String)> {
    if row.place == MaskPlace::View {
        return None;
    }
    let names = |names: &[String]| names.join(", ");
    Some(match (row.applied.is_empty(), row.waiting.is_empty()) {
        (true, true) => (false, "no agent reads it".into()),
        (false, true) => (true, format!("applied by {}", names(&row.applied))),
        (true, false) => (false, format!("waiting for {}", names(&row.waiting))),
        (false, false) => (false, format!("applied by {}, waiting for {}", names(&row.applied), names(&row.waiting))),
    })
}

/// What a rule does to a value that somebody types. The hash is one to look at: the true key is nowhere but on the agent.
pub fn example(kind: &str, amount: &str, sample: &str) -> String {
    if sample.is_empty() {
        return "Type a value to see what is left of it.".into();
    }
    let Some(rule) = MaskRule::read(kind, amount) else {
        return "Say how many characters stay, or how wide a step is.".into();
    };
    match mask_text(&rule, sample, &shown_hash) {
        None => "Nothing is left: the field is empty.".into(),
        Some(left) if rule == MaskRule::Hash => format!("Like {left}, and the same for the same value."),
        Some(left) => format!("What is left: {left}"),
    }
}

/// Looks like one, and is none.
fn shown_hash(bytes: &[u8]) -> [u8; 32] {
    let mut state = 0xcbf2_9ce4_8422_2325_u64;
    std::array::from_fn(|place| {
        for byte in bytes.iter().chain(&[place as u8]) {
            state = (state ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
        (state >> 32) as u8
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clarity_domain::ids::SourceId;
    use uuid::Uuid;

    fn row(place: MaskPlace, applied: &[&str], waiting: &[&str]) -> MaskRow {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        MaskRow {
            id: Uuid::nil(),
            source: None,
            stream: "*".into(),
            field: "name".into(),
            rule: MaskRule::Hide,
            place,
            least_role: (place == MaskPlace::View).then_some(Role::Admin),
            created_by: "Maja".into(),
            created_at: 0,
            applied: names(applied),
            waiting: names(waiting),
        }
    }

    #[test]
    fn an_example_shows_what_is_left() {
        assert_eq!(example("partial", "4", "DE89 3704 0044 0532"), "What is left: •••0532");
        assert_eq!(example("bucket", "10", "47"), "What is left: 40");
        assert_eq!(example("bucket", "10", "Maja"), "Nothing is left: the field is empty.");
        assert_eq!(example("hide", "", "Maja"), "Nothing is left: the field is empty.");
        assert!(example("hash", "", "Maja").starts_with("Like h:"));
        assert!(example("bucket", "0", "47").starts_with("Say how"));
        assert!(example("hide", "", "").starts_with("Type a value"));
    }

    #[test]
    fn streams_are_offered_by_source() {
        let id = SourceId(Uuid::from_u128(7));
        let of = |stream: &str, fields: &[&str]| MaskableStream {
            source_id: id,
            source: "plant-db".into(),
            stream: Some(stream.into()),
            fields: fields.iter().map(|field| (*field).to_owned()).collect(),
            tags: Vec::new(),
        };
        let long = MaskableStream { tags: vec!["Speed".into()], ..of("public.b", &["y"]) };
        let known = [of("public.a", &["x", "y"]), long];
        let words: Vec<String> = streams(&known).into_iter().map(|(_, words)| words).collect();
        assert_eq!(words[1..], ["plant-db: every stream", "plant-db: public.a", "plant-db: public.b"]);
        assert_eq!(streams(&known)[2].0, format!("{id} public.a"));
        assert_eq!(fields(&known), ["Speed", "x", "y"]);
    }

    #[test]
    fn a_row_says_who_masks_and_who_sees() {
        assert_eq!(progress(&row(MaskPlace::Agent, &["a"], &[])), Some((true, "applied by a".into())));
        assert_eq!(
            progress(&row(MaskPlace::Agent, &["a"], &["b", "c"])),
            Some((false, "applied by a, waiting for b, c".into()))
        );
        assert_eq!(progress(&row(MaskPlace::View, &[], &[])), None);
        assert_eq!(seen_by(&row(MaskPlace::View, &[], &[])), "Admins and above");
        assert_eq!(seen_by(&row(MaskPlace::Agent, &[], &[])), "Nobody");
        assert_eq!(place_of(&row(MaskPlace::Agent, &[], &[])), "every source, every stream");
    }
}
