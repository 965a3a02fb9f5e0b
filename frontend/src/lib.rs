//! The WASM entry: takes over the page that the server rendered.

use clarity_app::{App, pages};
use leptos::{logging::warn, mount::hydrate_body, prelude::*};
use wasm_bindgen::prelude::wasm_bindgen;

/// Called by the page once the module is there.
#[wasm_bindgen]
pub async fn hydrate() {
    console_error_panic_hook::set_once();
    let path = location().pathname().unwrap_or_default();
    if let Err(error) = pages::ready(&path).await {
        warn!("the page stays as the server sent it: {error}");
        return;
    }
    hydrate_body(App);
    // A mark that end-to-end tests wait for.
    if let Some(body) = document().body() {
        drop(body.set_attribute("data-hydrated", "true"));
    }
}
