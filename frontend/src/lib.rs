//! The WASM entry: takes over the page that the server rendered.

use wasm_bindgen::prelude::wasm_bindgen;

/// Called by the page once the module is there.
#[wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    leptos::mount::hydrate_body(clarity_app::App);
    // A mark that end-to-end tests wait for.
    if let Some(body) = leptos::prelude::document().body() {
        drop(body.set_attribute("data-hydrated", "true"));
    }
}
