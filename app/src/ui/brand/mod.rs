//! Our mark and name.

use leptos::prelude::*;

/// The mark with the name, as a link.
#[component]
pub fn Brand(#[prop(into)] href: String) -> impl IntoView {
    view! {
        <a class="cs-brand" href=href>
            <svg viewBox="0 0 22 22" aria-hidden="true">
                <rect width="22" height="22" rx="6" fill="var(--accent)"></rect>
                <path d="M4.5 12.4c2-3.6 4-4.2 6.2-2.1 2.2 2.2 4.4 1.7 6.8-1.7" fill="none" stroke="var(--accent-ink)" stroke-width="2.1" stroke-linecap="round"></path>
            </svg>
            "Clarity Stream"
        </a>
    }
}
