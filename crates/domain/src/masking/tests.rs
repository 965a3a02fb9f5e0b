//! What a mask must never show, whatever the value.

use super::*;
use proptest::prelude::*;
use serde_json::json;

/// No real hash: as long, of every byte, and of a key.
fn keyed(bytes: &[u8]) -> [u8; 32] {
    let mut state = 0xcbf2_9ce4_8422_2325_u64;
    let mut out = [0; 32];
    for (place, slot) in out.iter_mut().enumerate() {
        for byte in bytes.iter().chain(&[place as u8]) {
            state = (state ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
        *slot = (state >> 32) as u8;
    }
    out
}

const PARTIAL: MaskRule = MaskRule::Partial { keep_last: 4 };
const TENS: MaskRule = MaskRule::Bucket { width: 10.0 };

fn policy(source_id: Option<SourceId>, stream: &str, field: &str) -> MaskPolicy {
    MaskPolicy {
        id: Uuid::nil(),
        source_id,
        stream: stream.into(),
        field: field.into(),
        rule: MaskRule::Hide,
        place: MaskPlace::Agent,
        least_role: None,
    }
}

#[test]
fn a_hash_is_22_letters_of_its_first_16_bytes() {
    let ones = |_: &[u8]| [0xff; 32];
    let text = mask_text(&MaskRule::Hash, "x", &ones).unwrap();
    assert_eq!(text, format!("h:{}w", "_".repeat(21)));
    let counted = |_: &[u8]| std::array::from_fn(|i| i as u8);
    assert_eq!(mask_text(&MaskRule::Hash, "x", &counted).unwrap(), "h:AAECAwQFBgcICQoLDA0ODw");
}

#[test]
fn each_rule_leaves_what_it_says() {
    let of = |rule: MaskRule, value: Value| mask(&rule, &value, &keyed);
    assert_eq!(of(MaskRule::Hide, json!("Maja Lind")), Value::Null);
    assert_eq!(of(PARTIAL, json!("DE89 3704 0044 0532")), json!("•••0532"));
    assert_eq!(of(PARTIAL, json!("0151234")), json!("•••34"), "a third of seven");
    assert_eq!(of(PARTIAL, json!("Söder")), json!("•••"), "short");
    assert_eq!(of(TENS, json!(47)), json!(40));
    assert_eq!(of(TENS, json!(-1)), json!(-10));
    assert_eq!(of(TENS, json!(47.9)), json!(40.0));
    assert_eq!(of(TENS, json!("47.90")), json!("40"));
    assert_eq!(of(MaskRule::Bucket { width: 0.25 }, json!(0.8)), json!(0.75));
    for rule in [MaskRule::Hide, MaskRule::Hash, PARTIAL, TENS] {
        assert_eq!(of(rule, Value::Null), Value::Null);
    }
}

#[test]
fn what_does_not_fit_is_hidden() {
    for value in [json!(true), json!([1, 2]), json!({"a": 1})] {
        assert_eq!(mask(&PARTIAL, &value, &keyed), Value::Null);
        assert_eq!(mask(&TENS, &value, &keyed), Value::Null);
    }
    for text in ["", "forty", "NaN", "Infinity", "-inf"] {
        assert_eq!(mask_text(&TENS, text, &keyed), None, "{text:?}");
    }
    for width in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert!(!MaskRule::Bucket { width }.is_sound());
        assert_eq!(mask_number(&MaskRule::Bucket { width }, 5.0), None);
    }
    assert_eq!(mask_number(&MaskRule::Hash, 5.0), None);
    assert_eq!(mask_number(&TENS, 1e300), None, "no step can be told");
}

#[test]
fn a_path_is_masked_wherever_it_leads() {
    let mut document = json!({
        "who": {"name": "Maja", "shift": 2},
        "who.name": "Maja",
        "list": [{"who": {"name": "Maja"}}, {"who": "nobody"}],
        "whole": 1,
    });
    mask_path(&MaskRule::Hide, &mut document, "who.name", &keyed);
    mask_path(&MaskRule::Hide, &mut document, "list.who.name", &keyed);
    mask_path(&MaskRule::Hide, &mut document, "who.name.first", &keyed);
    assert_eq!(
        document,
        json!({
            "who": {"name": null, "shift": 2},
            "who.name": null,
            "list": [{"who": {"name": null}}, {"who": "nobody"}],
            "whole": 1,
        })
    );
}

#[test]
fn a_policy_covers_its_field_and_all_inside_it() {
    let (here, there) = (SourceId(Uuid::from_u128(1)), SourceId(Uuid::from_u128(2)));
    let one = policy(Some(here), "public.staff", "name");
    assert!(one.covers(here, "public.staff", "name") && one.covers(here, "public.staff", "name.first"));
    assert!(!one.covers(there, "public.staff", "name"));
    assert!(!one.covers(here, "public.staff", "names") && !one.covers(here, "public.staff", "full.name"));
    assert!(!one.covers(here, "public.shifts", "name"));
    let any = policy(None, ANY_STREAM, "detail.phone");
    assert!(any.covers(here, "x.y", "detail.phone") && any.covers(there, "z", "detail.phone.work"));
    assert!(!any.covers(here, "x.y", "detail"), "the rest of the document is not masked");
}

#[test]
fn the_rule_that_leaves_less_holds() {
    let bucket = |width| MaskRule::Bucket { width };
    let partial = |keep_last| MaskRule::Partial { keep_last };
    assert_eq!(bucket(1.0).stricter(bucket(5.0)), bucket(5.0));
    assert_eq!(partial(2).stricter(partial(3)), partial(2));
    assert_eq!(bucket(1.0).stricter(MaskRule::Hash), MaskRule::Hash);
    assert_eq!(MaskRule::Hide.stricter(MaskRule::Hash), MaskRule::Hide);
}

#[test]
fn rules_are_read_as_forms_and_the_database_write_them() {
    for (rule, amount) in [(MaskRule::Hide, ""), (MaskRule::Hash, ""), (PARTIAL, " 4 "), (TENS, "10")] {
        assert_eq!(MaskRule::read(rule.kind(), amount), Some(rule));
        let stored = serde_json::to_value(rule).unwrap();
        assert_eq!(stored["kind"], rule.kind());
        assert_eq!(serde_json::from_value::<MaskRule>(stored).unwrap(), rule);
    }
    for (kind, amount) in [("partial", "0"), ("partial", "300"), ("bucket", "0"), ("bucket", "NaN"), ("blur", "")] {
        assert_eq!(MaskRule::read(kind, amount), None, "{kind} {amount}");
    }
    assert_eq!(format!("{:?}", MaskKey::new([7; 32])), "MaskKey");
    assert_eq!(MaskPlace::read("view"), Some(MaskPlace::View));
}

proptest! {
    #[test]
    fn a_hash_keeps_equality_and_nothing_else(a in ".{1,40}", b in ".{1,40}") {
        let (x, y) = (mask_text(&MaskRule::Hash, &a, &keyed).unwrap(), mask_text(&MaskRule::Hash, &b, &keyed).unwrap());
        prop_assert_eq!(a == b, x == y);
        prop_assert_eq!(x.len(), 24);
        prop_assert!(x.starts_with("h:") && x[2..].bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-' || c == b'_'));
    }

    #[test]
    fn a_partial_value_keeps_little(text in ".{0,60}", keep_last in 1_u8..) {
        let masked = mask_text(&MaskRule::Partial { keep_last }, &text, &keyed).unwrap();
        let kept = masked.strip_prefix(DOTS).unwrap();
        prop_assert!(text.ends_with(kept));
        let (kept, all) = (kept.chars().count(), text.chars().count());
        prop_assert!(kept <= usize::from(keep_last) && kept * 3 <= all);
        prop_assert!(all >= SHORTEST_PARTIAL || kept == 0);
        let again = mask_text(&MaskRule::Partial { keep_last }, &masked, &keyed).unwrap();
        prop_assert!(again.chars().count() <= masked.chars().count());
    }

    #[test]
    fn a_bucket_is_a_step_at_or_below(value in -1e9_f64..1e9, width in 1e-3_f64..1e6) {
        let floor = mask_number(&MaskRule::Bucket { width }, value).unwrap();
        prop_assert!(floor <= value && value < floor + width * (1.0 + 1e-9) + value.abs() * 1e-12, "{} of {} by {}", floor, value, width);
        prop_assert_eq!(mask_number(&MaskRule::Bucket { width }, floor), Some(floor), "again");
    }

    #[test]
    fn a_whole_bucket_is_whole(value in any::<i64>(), width in 1_u32..) {
        let masked = mask(&MaskRule::Bucket { width: width.into() }, &Value::from(value), &keyed);
        if let Some(floor) = masked.as_i64() {
            prop_assert!(floor <= value && floor % i64::from(width) == 0);
            prop_assert_eq!(mask(&MaskRule::Bucket { width: width.into() }, &masked, &keyed), masked);
        }
    }

    #[test]
    fn nothing_stays_of_a_hidden_value(text in ".{0,40}", number in any::<f64>()) {
        prop_assert_eq!(mask(&MaskRule::Hide, &json!(text), &keyed), Value::Null);
        prop_assert_eq!(mask(&MaskRule::Hide, &json!(number), &keyed), Value::Null);
    }
}

#[test]
fn a_tag_is_what_rows_name_their_metric_by() {
    assert_eq!(tag_of("value[Speed]"), Some(("value", "Speed")));
    assert_eq!(tag_of("value[Oil [1]]"), Some(("value", "Oil [1]")));
    for none in ["value", "value[]", "value[Speed", "value]"] {
        assert_eq!(tag_of(none), None, "{none}");
    }
}
