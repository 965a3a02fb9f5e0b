//! The keys of the app: `?` lists them.

use leptos::prelude::*;

use super::overlays::Overlays;
use crate::ui::dialog::Dialog;

const KEYS: [(&str, &[&str]); 4] = [
    ("Search or jump to", &["Ctrl", "K"]),
    ("These keys", &["?"]),
    ("Close a dialog or menu", &["Esc"]),
    ("To the content", &["Tab", "Enter"]),
];

/// Listens for them while the frame is there.
pub fn listen() {
    let Overlays { palette, keys: open } = expect_context();
    let handle = window_event_listener(leptos::ev::keydown, move |event| {
        let modified = event.ctrl_key() || event.meta_key();
        if modified && event.key().eq_ignore_ascii_case("k") {
            event.prevent_default();
            open.set(false);
            palette.set(true);
        } else if event.key() == "?" && !modified && !typing(&event) {
            open.set(true);
        }
    });
    on_cleanup(move || handle.remove());
}

/// The list of them.
#[component]
pub fn Keys() -> impl IntoView {
    let open = expect_context::<Overlays>().keys;
    let rows = KEYS
        .into_iter()
        .map(|(act, keys)| view! { <dt>{act}</dt><dd>{keys.iter().map(|key| view! { <kbd class="cs-kbd">{*key}</kbd> }).collect_view()}</dd> })
        .collect_view();
    view! {
        <Dialog open title="Keys">
            <dl class="cs-shortcuts">{rows}</dl>
        </Dialog>
    }
}

/// Is the key meant for a text field?
#[cfg(feature = "hydrate")]
fn typing(event: &leptos::ev::KeyboardEvent) -> bool {
    use wasm_bindgen::JsCast;
    event
        .target()
        .and_then(|target| target.dyn_into::<web_sys::Element>().ok())
        .is_some_and(|element| element.matches("input, textarea, select, [contenteditable]").unwrap_or(false))
}

#[cfg(not(feature = "hydrate"))]
fn typing(_: &leptos::ev::KeyboardEvent) -> bool {
    false
}
