//! Lists that come, stay and are the operator's own.

use super::*;
use clarity_domain::masking::MaskRule;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

fn mask(source: Option<&str>, field: &str) -> Mask {
    Mask { source: source.map(Into::into), stream: "public.t".into(), field: field.into(), rule: MaskRule::Hash }
}

fn fields(masks: &Masks, source: &str) -> Vec<String> {
    masks.of(source).rules.iter().map(|mask| mask.field.clone()).collect()
}

fn folder() -> (tempfile::TempDir, StateDir) {
    let folder = tempfile::tempdir().unwrap();
    let dir = StateDir::new(folder.path().join("agent"));
    dir.create().unwrap();
    (folder, dir)
}

#[test]
fn a_list_outlives_a_restart_and_the_operators_masks_outlive_every_list() {
    let (_folder, dir) = folder();
    let local = vec![mask(None, "own")];
    let masks = Masks::open(&dir, local.clone()).unwrap();
    masks.take(Ordered { version: 3, masks: vec![mask(Some("a"), "x"), mask(None, "y")] }).unwrap();
    assert_eq!(
        (fields(&masks, "a"), fields(&masks, "b")),
        (vec!["own".into(), "x".into(), "y".into()], vec!["own".into(), "y".into()])
    );
    for path in [dir.masks(), dir.mask_key()] {
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600, "{}", path.display());
    }
    let again = Masks::open(&dir, local).unwrap();
    assert_eq!(again.applied(), 3);
    assert_eq!(fields(&again, "a"), ["own", "x", "y"]);
    again.take(Ordered { version: 4, masks: Vec::new() }).unwrap();
    assert_eq!(fields(&again, "a"), ["own"]);
}

#[test]
fn nothing_is_made_while_nothing_is_masked() {
    let (_folder, dir) = folder();
    let masks = Masks::open(&dir, Vec::new()).unwrap();
    assert_eq!(masks.applied(), 0);
    assert!(fields(&masks, "a").is_empty());
    assert!(!dir.mask_key().exists() && !dir.masks().exists());
}

#[test]
fn a_list_that_cannot_be_read_stops_the_agent() {
    let (_folder, dir) = folder();
    std::fs::write(dir.masks(), "{\"version\":").unwrap();
    let said = format!("{:#}", Masks::open(&dir, Vec::new()).err().unwrap());
    assert!(said.contains("unmasked"), "{said}");
}

#[tokio::test]
async fn a_version_is_applied_when_every_source_has_begun_anew() {
    let (_folder, dir) = folder();
    let masks = Masks::open(&dir, Vec::new()).unwrap();
    let (a, b) = (masks.of("a"), masks.of("b"));
    masks.begin("a", &a);
    masks.begin("b", &b);
    masks.take(Ordered { version: 2, masks: vec![mask(Some("a"), "x")] }).unwrap();
    assert_eq!(masks.applied(), 0, "a is read without the mask");
    masks.differ("a", &a).await;
    let same = tokio::time::timeout(Duration::from_millis(20), masks.differ("b", &b)).await;
    assert!(same.is_err(), "nothing changed for b");
    masks.end("a");
    assert_eq!(masks.applied(), 2, "what is not read leaves nothing unmasked");
    masks.begin("a", &masks.of("a"));
    assert_eq!(masks.applied(), 2);
}
