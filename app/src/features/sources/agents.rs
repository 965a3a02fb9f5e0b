//! The agents that read the sources, what can be done to them, and those that were revoked.

use clarity_domain::view::{
    Micros,
    sources::{AgentKeyState, AgentRow, RevokedAgent, Sources},
};
use leptos::{form::ActionForm, prelude::*};

use super::{
    api::{ReplaceKey, RevokeAgent},
    model,
};
use crate::{
    error::PageError,
    ui::{
        button::{Button, Kind},
        card::Card,
        confirm::Confirm,
        pill::{Pill, Tone},
        table::{Column, Table},
        time::{Ago, Detail, Time},
    },
};

/// The forms of the page. It reads again when one of them was sent.
#[derive(Clone, Copy)]
pub struct Forms {
    pub revoke: ServerAction<RevokeAgent>,
    pub replace: ServerAction<ReplaceKey>,
}

impl Forms {
    pub fn unsent() -> Self {
        Self { revoke: ServerAction::new(), replace: ServerAction::new() }
    }

    /// What a form was answered, when it was no.
    pub fn failed(self) -> Option<PageError> {
        let all = [self.revoke.value().get(), self.replace.value().get()];
        all.into_iter().flatten().find_map(Result::err)
    }

    /// Changes when the page has to be read again.
    pub fn sent(self) -> Memo<[usize; 2]> {
        Memo::new(move |_| [self.revoke.version().get(), self.replace.version().get()])
    }
}

#[component]
pub fn Agents(slug: String, state: RwSignal<Sources>, forms: Forms) -> impl IntoView {
    let (agents, revoked, base, may) = state
        .with_untracked(|sources| (sources.agents.clone(), sources.revoked.clone(), sources.as_of, sources.may_manage));
    let mut columns = vec![
        Column::new("Agent"),
        Column::new("State"),
        Column::new("Version"),
        Column::end("Sources"),
        Column::end("Last heard"),
    ];
    if may {
        columns.push(Column::end(""));
    }
    (!agents.is_empty() || !revoked.is_empty()).then(|| {
        let table = (!agents.is_empty()).then(|| {
            let rows =
                agents.into_iter().map(|agent| view! { <Row slug=slug.clone() agent base may forms/> }).collect_view();
            view! { <Table caption="Agents" columns>{rows}</Table> }
        });
        view! { <Card title="Agents">{table} <Revoked revoked/></Card> }
    })
}

#[component]
fn Row(slug: String, agent: AgentRow, base: Micros, may: bool, forms: Forms) -> impl IntoView {
    let (tone, word) = if agent.connected { (Tone::Ok, "Connected") } else { (Tone::Bad, "Not connected") };
    let key = match (agent.key, agent.key_replaced_at) {
        (AgentKeyState::Asked, _) => view! { <small>{model::waiting_for_key(agent.connected)}</small> }.into_any(),
        (_, Some(at)) => view! { <small>"Key replaced " <Time at=Some(at) detail=Detail::Day/></small> }.into_any(),
        _ => ().into_any(),
    };
    let acts = may.then(|| {
        let acts = acts(slug, &agent, forms);
        view! { <td data-align="end" class="cs-table__acts"><div class="cs-row">{acts}</div></td> }
    });
    view! {
        <tr>
            <th scope="row">{agent.name} {key}</th>
            <td data-beside=""><Pill tone text=word/></td>
            <td data-label="Version">{agent.version.unwrap_or_else(|| "–".into())}</td>
            <td data-align="end" data-label="Sources">{agent.sources}</td>
            <td data-align="end" data-label="Last heard"><Ago at=agent.last_seen_at base/></td>
            {acts}
        </tr>
    }
}

/// What can be done to an agent.
fn acts(slug: String, agent: &AgentRow, forms: Forms) -> AnyView {
    let (id, name, own_slug) = (agent.id.to_string(), agent.name.clone(), slug.clone());
    let replace = (agent.key != AgentKeyState::Asked).then(|| {
        let form = (agent.key == AgentKeyState::Replaceable).then(|| {
            let id = id.clone();
            view! {
                <ActionForm action=forms.replace>
                    <input type="hidden" name="slug" value=own_slug/>
                    <input type="hidden" name="id" value=id/>
                    <Button submit=true kind=Kind::Primary disabled=Signal::derive(move || forms.replace.pending().get())>"Ask for a new key"</Button>
                </ActionForm>
            }
        });
        view! {
            <Confirm
                id=format!("replace-{id}")
                act="Replace key"
                label=format!("Replace key of {name}")
                question=format!("Replace the key of {name}?")
                message=model::replacing(agent.key)
                kind=Kind::Quiet
            >
                {form}
            </Confirm>
        }
    });
    view! {
        {replace}
        <Confirm
            id=format!("revoke-{id}")
            act="Revoke"
            label=format!("Revoke {name}")
            question=format!("Revoke {name}?")
            message=model::revoking(agent.sources)
        >
            <ActionForm action=forms.revoke>
                <input type="hidden" name="slug" value=slug/>
                <input type="hidden" name="id" value=id/>
                <Button submit=true kind=Kind::Danger disabled=Signal::derive(move || forms.revoke.pending().get())>"Revoke agent"</Button>
            </ActionForm>
        </Confirm>
    }
    .into_any()
}

/// Those that are out for good, behind a line that opens without script.
#[component]
fn Revoked(revoked: Vec<RevokedAgent>) -> impl IntoView {
    (!revoked.is_empty()).then(|| {
        let words = model::revoked_agents(revoked.len());
        let columns = vec![Column::new("Agent"), Column::new("State"), Column::end("Sources"), Column::end("Revoked")];
        let rows = revoked
            .into_iter()
            .map(|agent| {
                view! {
                    <tr>
                        <th scope="row">{agent.name}</th>
                        <td data-beside=""><Pill tone=Tone::Idle text="Revoked"/></td>
                        <td data-align="end" data-label="Sources">{agent.sources}</td>
                        <td data-align="end" data-label="Revoked"><Time at=Some(agent.revoked_at) detail=Detail::Day/></td>
                    </tr>
                }
            })
            .collect_view();
        view! {
            <details class="cs-behind">
                <summary>{words}</summary>
                <div class="cs-table-scroll"><Table caption="Revoked agents" columns>{rows}</Table></div>
            </details>
        }
    })
}
