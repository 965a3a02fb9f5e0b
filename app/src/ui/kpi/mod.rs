//! One figure with its name, its unit and a remark. A figure that is not known is "–".

use leptos::prelude::*;

#[component]
pub fn Kpi(
    #[prop(into)] name: String,
    #[prop(into)] value: Signal<Option<String>>,
    #[prop(optional, into)] unit: Signal<String>,
    #[prop(optional, into)] remark: Signal<String>,
    /// A sparkline below. Without one the card is lower.
    #[prop(optional_no_strip)]
    line: Option<AnyView>,
) -> impl IntoView {
    view! {
        <section class="cs-card cs-kpi" data-span="3">
            <h2 class="cs-kpi__name">{name}</h2>
            <p class="cs-kpi__value">
                <span>{move || value.get().unwrap_or_else(|| "–".into())}</span>
                <small>{move || if value.with(Option::is_some) { unit.get() } else { String::new() }}</small>
            </p>
            <p class="cs-kpi__note">{remark}</p>
            {line}
        </section>
    }
}
