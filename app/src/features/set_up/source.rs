//! The first source: where its wizard is.

use clarity_domain::view::set_up::SetUpStep;
use leptos::prelude::*;

use super::{content::Forms, step::SkipButton};
use crate::{
    paths,
    ui::{
        button::{Kind, LinkButton},
        card::Card,
    },
};

#[component]
pub fn Source(slug: String, forms: Forms) -> impl IntoView {
    let (connect, skip) = (paths::connect(&slug), view! { <SkipButton slug step=SetUpStep::Source forms/> });
    view! {
        <Card title="First source" remark="step 4 of 4">
            <div class="cs-stack">
                <p>"Connect a database you already have. A small agent beside it calls out to us; nothing calls in, and credentials stay with the agent. It takes about two minutes."</p>
                <div class="cs-row">
                    <LinkButton href=connect kind=Kind::Primary>"Connect a source"</LinkButton>
                    {skip}
                </div>
            </div>
        </Card>
    }
}
