//! The two halves of signing in: the form, and what it is for.

use leptos::prelude::*;

use crate::{
    paths,
    ui::{
        brand::Brand,
        icon::{Icon, Symbol},
    },
};

const POINTS: [(Symbol, &str, &str); 3] = [
    (
        Symbol::Outward,
        "One connection, outward",
        "A small agent beside your database calls out to us. No port is opened on your side.",
    ),
    (
        Symbol::Shield,
        "Kept until it is stored",
        "The agent keeps every change on its own disk, encrypted, until we confirm that it is durable.",
    ),
    (
        Symbol::Clock,
        "Honest about its age",
        "Every page says how far behind the machines it is, and why when nothing new comes.",
    ),
];

#[component]
pub fn AuthLayout(#[prop(into)] title: String, lead: AnyView, children: Children) -> impl IntoView {
    let points = POINTS
        .map(|(symbol, name, words)| view! { <li><Icon symbol/><b>{name}</b><span>{words}</span></li> })
        .collect_view();
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
                <ul class="cs-auth__points" role="list">{points}</ul>
            </aside>
        </div>
    }
}
