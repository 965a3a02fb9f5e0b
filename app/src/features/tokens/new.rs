//! A token that was just made: its text, to be copied now.

use leptos::prelude::*;

use crate::{
    paths,
    ui::{button::LinkButton, card::Card, copy::CopyCode, note::Banner, pill::Tone},
};

#[component]
pub fn New(slug: String, text: String) -> impl IntoView {
    view! {
        <Card title="Your new token">
            <div class="cs-tokens__new">
                <Banner tone=Tone::Ok alert=true>"The token is made. Copy it now: it is kept hashed, and nobody can show it again."</Banner>
                <CopyCode code=text what="the token"/>
                <div class="cs-row"><LinkButton href=paths::tokens(&slug)>"I have kept it"</LinkButton></div>
            </div>
        </Card>
    }
}
