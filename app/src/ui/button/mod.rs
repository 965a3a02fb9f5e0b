//! Buttons, and links that look like one. Attributes and events are spread: `<Button attr:id="x" on:click=…>`.

use leptos::prelude::*;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    Primary,
    #[default]
    Plain,
    Quiet,
    Danger,
}

impl Kind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Primary => "primary",
            Self::Plain => "plain",
            Self::Quiet => "quiet",
            Self::Danger => "danger",
        }
    }
}

#[component]
pub fn Button(
    #[prop(optional)] kind: Kind,
    /// Sends the form it stands in.
    #[prop(optional)]
    submit: bool,
    #[prop(optional)] large: bool,
    /// Square, for an icon alone: give it an `attr:aria-label`.
    #[prop(optional)]
    icon: bool,
    #[prop(optional, into)] disabled: Signal<bool>,
    children: Children,
) -> impl IntoView {
    let size = if large {
        "large"
    } else if icon {
        "icon"
    } else {
        "usual"
    };
    view! {
        <button class="cs-button" type=if submit { "submit" } else { "button" } data-kind=kind.as_str() data-size=size disabled=disabled>
            {children()}
        </button>
    }
}

#[component]
pub fn LinkButton(
    #[prop(into)] href: Signal<String>,
    #[prop(optional)] kind: Kind,
    #[prop(optional)] large: bool,
    children: Children,
) -> impl IntoView {
    view! {
        <a class="cs-button" href=href data-kind=kind.as_str() data-size=if large { "large" } else { "usual" }>
            {children()}
        </a>
    }
}
