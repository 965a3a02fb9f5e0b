//! The truth badge in the bar over a page. A change of word is announced, politely.

use leptos::prelude::*;

use super::pill::Tone;

#[component]
pub fn TruthBadge(
    #[prop(into)] tone: Signal<Tone>,
    #[prop(into)] word: Signal<String>,
    #[prop(into)] why: Signal<String>,
) -> impl IntoView {
    view! {
        <span class="cs-truth" role="status" data-tone=move || tone.get().as_str() title=why>
            {word}
            <span class="cs-visually-hidden">": " {why}</span>
        </span>
    }
}
