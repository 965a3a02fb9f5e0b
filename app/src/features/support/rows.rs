//! Requests: those that wait with the two answers, those that let somebody in with an end to it, and the others as a table.

use clarity_domain::view::{Micros, support::SupportRequest};
use leptos::{form::ActionForm, prelude::*};

use super::{Forms, model};
use crate::ui::{
    button::{Button, Kind},
    card::Card,
    pill::Pill,
    table::{Column, Table},
    time::{Ago, Detail, Time},
};

#[component]
pub fn Open(
    slug: String,
    requests: Vec<SupportRequest>,
    may_decide: bool,
    base: Micros,
    forms: Forms,
) -> impl IntoView {
    let rows = requests
        .into_iter()
        .map(|request| {
            let acts = may_decide.then(|| answers(&slug, &request, forms));
            let minutes = request.minutes;
            view! {
                <li class="cs-support__request">
                    <div>
                        <p><b>{request.name}</b> " " <span class="cs-quiet">{request.email}</span></p>
                        <p class="cs-support__reason">{request.reason}</p>
                        <p class="cs-quiet">{format!("For {minutes} minutes from your approval. Asked ")} <Ago at=Some(request.requested_at) base/></p>
                    </div>
                    {acts}
                </li>
            }
        })
        .collect_view();
    view! {
        <Card title="Waiting for an owner" remark="a request lapses after a day">
            <ul class="cs-support__list">{rows}</ul>
            {(!may_decide).then(|| view! { <p class="cs-quiet">"Owners decide."</p> })}
        </Card>
    }
}

/// The two answers to a request.
fn answers(slug: &str, request: &SupportRequest, forms: Forms) -> AnyView {
    let (id, name) = (request.id.to_string(), request.name.clone());
    let (slug, same_slug, same_id) = (slug.to_owned(), slug.to_owned(), id.clone());
    let (approve, refuse) = (format!("Approve access of {name}"), format!("Refuse access of {name}"));
    view! {
        <div class="cs-row">
            <ActionForm action=forms.approve>
                <input type="hidden" name="slug" value=slug/>
                <input type="hidden" name="id" value=id/>
                <Button submit=true kind=Kind::Primary attr:aria-label=approve disabled=Signal::derive(move || forms.approve.pending().get())>"Approve"</Button>
            </ActionForm>
            <ActionForm action=forms.refuse>
                <input type="hidden" name="slug" value=same_slug/>
                <input type="hidden" name="id" value=same_id/>
                <Button submit=true attr:aria-label=refuse disabled=Signal::derive(move || forms.refuse.pending().get())>"Refuse"</Button>
            </ActionForm>
        </div>
    }
    .into_any()
}

#[component]
pub fn Live(slug: String, requests: Vec<SupportRequest>, may_decide: bool, forms: Forms) -> impl IntoView {
    let rows = requests
        .into_iter()
        .map(|request| {
            let id = request.id.to_string();
            let read = model::look_words(&request.looks);
            let label = format!("End access of {}", request.name);
            let approver = request.decided_by.unwrap_or_default();
            let end = may_decide.then(|| {
                let slug = slug.clone();
                view! {
                    <ActionForm action=forms.end>
                        <input type="hidden" name="slug" value=slug/>
                        <input type="hidden" name="id" value=id/>
                        <Button submit=true kind=Kind::Danger attr:aria-label=label disabled=Signal::derive(move || forms.end.pending().get())>"End access"</Button>
                    </ActionForm>
                }
            });
            view! {
                <li class="cs-support__request">
                    <div>
                        <p><b>{request.name}</b> " " <span class="cs-quiet">{request.email}</span> " until " <Time at=request.ends_at detail=Detail::Minute/></p>
                        <p class="cs-support__reason">{request.reason}</p>
                        <p class="cs-quiet">{format!("Approved by {approver}, ")} <Time at=request.decided_at detail=Detail::Minute/> {format!(". Read so far: {read}")}</p>
                    </div>
                    {end}
                </li>
            }
        })
        .collect_view();
    view! {
        <Card title="Has access now" remark="every member sees a banner">
            <ul class="cs-support__list">{rows}</ul>
        </Card>
    }
}

#[component]
pub fn Past(requests: Vec<SupportRequest>, base: Micros) -> impl IntoView {
    if requests.is_empty() {
        return view! { <p class="cs-quiet">"There were no requests."</p> }.into_any();
    }
    let columns = ["Who", "Why", "Asked", "Outcome", "Read"].map(Column::new).to_vec();
    let rows = requests
        .into_iter()
        .map(|request| {
            // Whose word was the last, and when.
            let last = match request.ended_by {
                Some(name) => Some((name, request.ends_at)),
                None => request.decided_by.map(|name| (name, request.decided_at)),
            };
            let read = model::look_words(&request.looks);
            view! {
                <tr>
                    <th scope="row" class="cs-table__wrap">{request.name}<small>{request.email}</small></th>
                    <td class="cs-table__wrap" data-label="Why">{request.reason}</td>
                    <td data-label="Asked"><Ago at=Some(request.requested_at) base/></td>
                    <td class="cs-table__wrap" data-label="Outcome">
                        <Pill tone=model::state_tone(request.state) text=model::state_words(request.state)/>
                        {last.map(|(name, at)| view! { <small class="cs-under">{format!("by {name}, ")} <Ago at base/></small> })}
                    </td>
                    <td class="cs-table__wrap" data-label="Read">{read}</td>
                </tr>
            }
        })
        .collect_view();
    view! { <div class="cs-table-scroll"><Table caption="Requests of before" columns>{rows}</Table></div> }.into_any()
}
