//! The two halves of signing in: the form, and what is behind it.

use leptos::prelude::*;

use crate::{
    paths,
    ui::{brand::Brand, note::Banner, pill::Tone},
};

#[component]
pub fn AuthLayout(#[prop(into)] title: String, lead: AnyView, children: Children) -> impl IntoView {
    // Lazy: the one of the other theme, and both on a narrow screen, are never asked for.
    let picture = |theme: &'static str| {
        view! {
            <img
                class="cs-auth__picture"
                data-for=theme
                src=format!("/overview-{theme}.webp")
                width="1280"
                height="860"
                loading="lazy"
                decoding="async"
                alt=""
            />
        }
    };
    view! {
        <div class="cs-auth">
            <main class="cs-auth__side" id="main">
                <div class="cs-auth__form">
                    <div>
                        <Brand href=paths::HOME/>
                        <h1>{title}</h1>
                        <p class="cs-quiet">{lead}</p>
                    </div>
                    {children()}
                </div>
            </main>
            <aside class="cs-auth__pitch" aria-label="About Clarity Stream">
                <p>"The night shift sees the same truth as head office, at the same second."</p>
                {picture("light")}
                {picture("dark")}
            </aside>
        </div>
    }
}

/// A letter is on its way; children say what to do with it. The same words whoever asked.
#[component]
pub fn Sent(again: &'static str, children: Children) -> impl IntoView {
    view! {
        <Banner tone=Tone::Ok>"We have sent you a letter. " {children()}</Banner>
        <p class="cs-quiet">
            "Nothing there after a few minutes? Look among what was sorted out as spam, then "
            <a class="cs-link" href=again>"ask again"</a>
            "."
        </p>
    }
}
