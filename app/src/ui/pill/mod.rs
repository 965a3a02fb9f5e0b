//! A word with a dot in the colour of its meaning.

use leptos::prelude::*;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tone {
    Ok,
    Warn,
    Bad,
    #[default]
    Idle,
}

impl Tone {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Bad => "bad",
            Self::Idle => "idle",
        }
    }
}

#[component]
pub fn Pill(#[prop(into)] tone: Signal<Tone>, #[prop(into)] text: Signal<String>) -> impl IntoView {
    view! { <span class="cs-pill" data-tone=move || tone.get().as_str()>{text}</span> }
}
