//! A surface with a head: title, a small remark, and what stands at its end.

use leptos::prelude::*;

#[component]
pub fn Card(
    #[prop(into)] title: Signal<String>,
    #[prop(optional, into)] remark: Signal<String>,
    /// Columns of twelve on a wide screen; all of them by default.
    #[prop(optional)]
    span: Option<u8>,
    /// Legend, menu or buttons.
    #[prop(optional)]
    aside: Option<AnyView>,
    children: Children,
) -> impl IntoView {
    view! {
        <section class="cs-card" data-span=span.map(|n| n.to_string())>
            <header class="cs-card__head">
                <h2>{title}</h2>
                <small>{remark}</small>
                {aside.map(|aside| view! { <div class="cs-card__aside">{aside}</div> })}
            </header>
            {children()}
        </section>
    }
}
