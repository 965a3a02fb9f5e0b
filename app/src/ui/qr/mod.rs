//! A QR code, for a camera: dark on light in both themes, with the quiet border that readers need.

use leptos::prelude::*;

/// Modules of the border.
const QUIET: u32 = 4;

#[component]
pub fn Qr(
    /// Wide and high.
    modules: u32,
    /// The dark ones, as an SVG path.
    path: String,
    /// What it is, for a screen reader.
    #[prop(into)]
    label: String,
) -> impl IntoView {
    let (from, size) = (format!("-{QUIET} -{QUIET}"), modules + 2 * QUIET);
    view! {
        <svg class="cs-qr" viewBox=format!("{from} {size} {size}") role="img" aria-label=label>
            <path d=path></path>
        </svg>
    }
}
