//! Asking every member to come by single sign-on, and the owners who may come in past it.

use clarity_domain::view::sso::{SsoConnection, SsoOwner};
use leptos::{form::ActionForm, prelude::*};

use super::Forms;
use crate::ui::{
    button::{Button, Kind},
    card::Card,
    confirm::Confirm,
    pill::{Pill, Tone},
};

#[component]
pub fn Required(slug: String, connection: SsoConnection, owners: Vec<SsoOwner>, forms: Forms) -> impl IntoView {
    let required = connection.required;
    let (tone, state) = if required { (Tone::Ok, "Required") } else { (Tone::Idle, "Not required") };
    let pill = view! { <Pill tone text=state/> }.into_any();
    let pending = Signal::derive(move || forms.require.pending().get());
    let of_form = slug.clone();
    let act = match (required, connection.not_yet) {
        (false, Some(words)) => view! { <p class="cs-quiet">{words}</p> }.into_any(),
        (false, None) => view! {
            <Confirm
                id="require-sso"
                act="Require single sign-on"
                label="Require single sign-on"
                question="Require single sign-on?"
                message="Whoever is signed in by password has to come by single sign-on from their next page on, marked owners aside. API tokens go on working."
                kind=Kind::Primary
            >
                <ActionForm action=forms.require>
                    <input type="hidden" name="slug" value=of_form/>
                    <input type="hidden" name="required" value="true"/>
                    <Button submit=true kind=Kind::Primary disabled=pending>"Require"</Button>
                </ActionForm>
            </Confirm>
        }
        .into_any(),
        (true, _) => view! {
            <ActionForm action=forms.require>
                <input type="hidden" name="slug" value=of_form/>
                <input type="hidden" name="required" value="false"/>
                <Button submit=true disabled=pending>"Do not require it any more"</Button>
            </ActionForm>
        }
        .into_any(),
    };
    let rows = owners.into_iter().map(|owner| view! { <OwnerLine slug=slug.clone() owner forms/> }).collect_view();
    view! {
        <Card title="Required" remark="passwords open this workspace no more" aside=pill>
            <div class="cs-stack">
                <div>{act}</div>
                <h3>"Owners who may come in past it"</h3>
                <p class="cs-quiet">"By password and second factor, on the day when the provider is down. The other owners get a letter each time."</p>
                <ul class="cs-sso__owners">{rows}</ul>
            </div>
        </Card>
    }
}

#[component]
fn OwnerLine(slug: String, owner: SsoOwner, forms: Forms) -> impl IntoView {
    let SsoOwner { id, name, email, break_glass, second_factor } = owner;
    let (wanted, act) = if break_glass { ("false", "Take the mark away") } else { ("true", "Mark") };
    let label = if break_glass {
        format!("Take the mark away: {name} may not come in past single sign-on any more")
    } else {
        format!("Mark: {name} may come in past single sign-on")
    };
    let form = (break_glass || second_factor).then(|| {
        view! {
            <ActionForm action=forms.break_glass>
                <input type="hidden" name="slug" value=slug/>
                <input type="hidden" name="user" value=id.to_string()/>
                <input type="hidden" name="marked" value=wanted/>
                <Button submit=true attr:aria-label=label disabled=Signal::derive(move || forms.break_glass.pending().get())>{act}</Button>
            </ActionForm>
        }
    });
    view! {
        <li class="cs-sso__owner">
            <p>{name} <small class="cs-under">{email}</small></p>
            {break_glass.then(|| view! { <Pill tone=Tone::Ok text="Marked"/> })}
            {(!second_factor).then(|| view! { <Pill tone=Tone::Idle text="No second factor"/> })}
            {form}
        </li>
    }
}
