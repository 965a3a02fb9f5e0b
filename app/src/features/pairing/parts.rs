//! Parts of the wizard: the way, the forms, the paired agent's sources.

use clarity_domain::{
    ids::PairingId,
    view::{
        Micros,
        pairing::{PairedSource, PairingState},
    },
};
use leptos::{form::ActionForm, prelude::*};

use super::{
    api::{Approve, Begin, Refuse},
    model,
};
use crate::{
    layout::refused::Refused,
    paths,
    ui::{
        button::{Button, Kind, LinkButton},
        card::Card,
        pill::{Pill, Tone},
        steps::Steps,
        time::Ago,
    },
};

/// The steps of the wizard.
#[component]
pub fn Way(at: usize, state: Option<PairingState>) -> impl IntoView {
    let state = state.unwrap_or(PairingState::Waiting { attempts_left: 5 });
    view! { <Steps label="Steps" steps=model::steps(&state) at/> }
}

/// An agent showed the code: who it is, and the six words to compare.
#[component]
pub fn Claimed(
    slug: String,
    id: PairingId,
    fingerprint: Vec<String>,
    hostname: String,
    address: String,
    claimed_at: Micros,
    base: Micros,
    approve: ServerAction<Approve>,
    refuse: ServerAction<Refuse>,
) -> impl IntoView {
    let error =
        move || approve.value().get().and_then(Result::err).or_else(|| refuse.value().get().and_then(Result::err));
    let busy = Signal::derive(move || approve.pending().get() || refuse.pending().get());
    let (slug_to_refuse, id_to_refuse) = (slug.clone(), id.to_string());
    let words = fingerprint.into_iter().map(|word| view! { <li>{word}</li> }).collect_view();
    view! {
        <Card title="Is this your agent?" remark="compare before you approve">
            <p><b>{hostname}</b>" at "<code>{address}</code>" used the code "<Ago at=Some(claimed_at) base/>". The agent shows the same six words:"</p>
            <ol class="cs-pair__words" aria-label="Fingerprint of the agent's key">{words}</ol>
            <p class="cs-quiet">"If they differ, or nobody here started an agent, refuse: somebody else has your code."</p>
            {move || error().map(|error| view! { <Refused error/> })}
            <div class="cs-pair__acts">
                <ActionForm action=refuse>
                    <input type="hidden" name="slug" value=slug_to_refuse/>
                    <input type="hidden" name="id" value=id_to_refuse/>
                    <Button kind=Kind::Danger submit=true disabled=busy>"Refuse"</Button>
                </ActionForm>
                <ActionForm action=approve>
                    <input type="hidden" name="slug" value=slug/>
                    <input type="hidden" name="id" value=id.to_string()/>
                    <Button kind=Kind::Primary submit=true disabled=busy>"Approve"</Button>
                </ActionForm>
            </div>
        </Card>
    }
}

/// The agent is paired: its sources, as they announce themselves.
#[component]
pub fn Approved(slug: String, agent: String, sources: Vec<PairedSource>, base: Micros) -> impl IntoView {
    let done = sources.iter().any(|source| source.first_event_at.is_some());
    let none = sources.is_empty();
    let rows = sources
        .into_iter()
        .map(|source| {
            let (tone, word, words) = model::source_state(&source);
            let href = paths::source(&slug, source.id);
            view! {
                <div class="cs-check">
                    <Pill tone text=word/>
                    <span><a class="cs-link" href=href>{source.name}</a> ", " {source.version} ": " {words}</span>
                    <small>{source.first_event_at.map(|at| view! { "first " <Ago at=Some(at) base/> })}</small>
                </div>
            }
        })
        .collect_view();
    view! {
        <Card title=format!("{agent} is paired") remark="its key is now your workspace's">
            {rows}
            {none.then(|| view! { <div class="cs-check"><Pill tone=Tone::Idle text="Waiting"/><span>"for the agent to announce its sources"</span></div> })}
        </Card>
        <div class="cs-pair__acts">
            <LinkButton href=paths::sources(&slug)>"See the sources"</LinkButton>
            {done.then(|| view! { <LinkButton href=paths::workspace(&slug) kind=Kind::Primary>"Open the overview"</LinkButton> })}
        </div>
    }
}

/// The code is of no use any more.
#[component]
pub fn Over(slug: String, refused: bool, action: ServerAction<Begin>) -> impl IntoView {
    let words = if refused {
        "You refused this agent. Its key has no access."
    } else {
        "The code has expired: 15 minutes passed, or it was tried five times."
    };
    view! {
        <Card title=if refused { "Refused" } else { "Expired" }>
            <div class="cs-stack">
                <p>{words}</p>
                <ActionForm action=action>
                    <input type="hidden" name="slug" value=slug/>
                    <Button kind=Kind::Primary submit=true disabled=action.pending()>"Make a new code"</Button>
                </ActionForm>
            </div>
        </Card>
    }
}
