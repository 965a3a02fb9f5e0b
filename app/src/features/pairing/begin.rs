//! The first page of the wizard: what will happen, and the button that makes the code.

use leptos::{form::ActionForm, prelude::*};

use super::api::Begin;
use crate::{
    layout::page::{Crumb, Page},
    paths,
    ui::{
        button::{Button, Kind},
        card::Card,
        note::Banner,
        pill::Tone,
    },
};

#[component]
pub fn BeginPairing(slug: String, action: ServerAction<Begin>) -> impl IntoView {
    let error = move || action.value().get().and_then(Result::err);
    view! {
        <Page crumbs=vec![Crumb::to("Sources", paths::sources(&slug)), Crumb::here("Connect a source")]>
            <div class="cs-head"><div class="cs-head__text"><h1>"Connect a source"</h1><p>"Everything below runs on your side. Credentials stay with the agent."</p></div></div>
            <div class="cs-pair">
                <super::parts::Way at=0 state=None/>
                <Card title="Before you start">
                    <div class="cs-stack">
                        <p>"You need a machine that reaches your database and may open connections to the internet on port 443, and a PostgreSQL 14 or newer with "<code>"wal_level = logical"</code>"."</p>
                        <p class="cs-quiet">"The code is for one agent, once, within 15 minutes. Nothing is read before you approve the agent's key here."</p>
                        {move || error().map(|error| view! { <Banner tone=Tone::Bad alert=true>{error.message().to_owned()}</Banner> })}
                        <ActionForm action=action>
                            <input type="hidden" name="slug" value=slug.clone()/>
                            <Button kind=Kind::Primary submit=true disabled=action.pending()>"Make a pairing code"</Button>
                        </ActionForm>
                    </div>
                </Card>
            </div>
        </Page>
    }
}
