//! Empty, error and banner: what it is, and what to do next.

use leptos::prelude::*;

use super::{
    button::Button,
    icon::{Icon, Symbol},
    pill::Tone,
};

/// Nothing here yet. Children are the way on: a button or a link.
#[component]
pub fn EmptyNote(
    symbol: Symbol,
    #[prop(into)] title: String,
    #[prop(into)] message: String,
    #[prop(optional)] children: Option<Children>,
) -> impl IntoView {
    view! {
        <div class="cs-note">
            <Icon symbol/>
            <h2>{title}</h2>
            <p>{message}</p>
            {children.map(|children| view! { <div class="cs-note__acts">{children()}</div> })}
        </div>
    }
}

/// Something failed: what, and a retry where it may help.
#[component]
pub fn ErrorNote(
    #[prop(into)] title: String,
    #[prop(into)] message: String,
    retry: Option<Callback<()>>,
) -> impl IntoView {
    view! {
        <div class="cs-note" data-tone="bad" role="alert">
            <Icon symbol=Symbol::Warning/>
            <h2>{title}</h2>
            <p>{message}</p>
            {retry
                .map(|retry| {
                    view! {
                        <div class="cs-note__acts">
                            <Button on:click=move |_| retry.run(())>"Try again"</Button>
                        </div>
                    }
                })}
        </div>
    }
}

/// One line over what it is about.
#[component]
pub fn Banner(tone: Tone, #[prop(optional)] alert: bool, children: Children) -> impl IntoView {
    let symbol = if tone == Tone::Ok { Symbol::Check } else { Symbol::Warning };
    view! {
        <div class="cs-banner" data-tone=tone.as_str() role=if alert { "alert" } else { "note" }>
            <Icon symbol/>
            <div>{children()}</div>
        </div>
    }
}
