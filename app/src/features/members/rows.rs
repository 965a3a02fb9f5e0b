//! The members, a line each, with what the viewer may do to them.

use clarity_domain::{
    ids::UserId,
    role::Role,
    view::{members::MemberRow, sites::SiteCard},
};
use leptos::{form::ActionForm, prelude::*};

use super::{Forms, model, sites::seen};
use crate::ui::{
    button::{Button, Kind},
    choice::Choice,
    confirm::Confirm,
    pill::{Pill, Tone},
    table::{Column, Table},
    time::{Detail, Time},
};

#[component]
pub fn Rows(
    slug: String,
    members: Vec<MemberRow>,
    sites: Vec<SiteCard>,
    you: UserId,
    /// The viewer's.
    role: Role,
    forms: Forms,
) -> impl IntoView {
    let columns = ["Person", "Role", "Joined", ""].map(Column::new).to_vec();
    let rows = members
        .into_iter()
        .map(|member| view! { <Row slug=slug.clone() own=member.id == you member sites=sites.clone() role forms/> })
        .collect_view();
    view! { <div class="cs-table-scroll"><Table caption="Members" columns>{rows}</Table></div> }
}

#[component]
fn Row(slug: String, member: MemberRow, sites: Vec<SiteCard>, own: bool, role: Role, forms: Forms) -> impl IntoView {
    let joined = member.joined_at;
    let (name, email) = (member.name.clone(), member.email.clone());
    let change = change(&slug, &member, forms);
    let sees = seen(&slug, &member, &sites, forms);
    let acts = acts(&slug, &member, role, forms);
    view! {
        <tr>
            <th scope="row" class="cs-table__wrap cs-members__who">
                {name} {own.then_some(" (you)")}
                <small>{email}</small>
                {member.offered.then(|| view! { <Pill tone=Tone::Idle text="Ownership offered"/> })}
            </th>
            <td data-label="Role">{change}{sees}</td>
            <td data-label="Joined"><Time at=Some(joined) detail=Detail::Day/></td>
            <td data-align="end" class="cs-table__acts"><div class="cs-row">{acts}</div></td>
        </tr>
    }
}

/// The role: a choice where the viewer may change it, else a word.
fn change(slug: &str, member: &MemberRow, forms: Forms) -> AnyView {
    if member.may.roles.is_empty() {
        return view! { <Pill tone=Tone::Idle text=model::role_name(member.role)/> }.into_any();
    }
    let (id, label) = (format!("role-{}", member.id), format!("Role of {}", member.name));
    let choices = model::choices(member.may.roles.iter().copied());
    let button = format!("Change the role of {}", member.name);
    let (slug, user, role) = (slug.to_owned(), member.id.to_string(), member.role.as_str());
    let pending = Signal::derive(move || forms.change_role.pending().get());
    view! {
        <ActionForm action=forms.change_role>
            <input type="hidden" name="slug" value=slug/>
            <input type="hidden" name="user" value=user/>
            <div class="cs-members__role">
                <Choice id name="role" label choices value=role low=true/>
                <Button submit=true attr:aria-label=button disabled=pending>"Change"</Button>
            </div>
        </ActionForm>
    }
    .into_any()
}

/// What can be done to a member beside changing the role.
fn acts(slug: &str, member: &MemberRow, viewer: Role, forms: Forms) -> AnyView {
    let (id, name) = (member.id.to_string(), member.name.clone());
    let offer = member.may.offer.then(|| {
        let (slug, user) = (slug.to_owned(), id.clone());
        view! {
            <Confirm
                id=format!("offer-{id}")
                act="Offer ownership"
                label=format!("Offer ownership to {name}")
                question=format!("Offer ownership to {name}?")
                message="They get a letter, and are an owner like you once they have accepted: everything, and billing. The offer is open for 7 days."
                kind=Kind::Quiet
            >
                <ActionForm action=forms.offer>
                    <input type="hidden" name="slug" value=slug/>
                    <input type="hidden" name="user" value=user/>
                    <Button submit=true kind=Kind::Primary disabled=Signal::derive(move || forms.offer.pending().get())>"Offer"</Button>
                </ActionForm>
            </Confirm>
        }
    });
    let withdraw = (member.offered && viewer == Role::Owner).then(|| {
        let (slug, label) = (slug.to_owned(), format!("Withdraw the offer to {name}"));
        view! {
            <ActionForm action=forms.withdraw>
                <input type="hidden" name="slug" value=slug/>
                <Button submit=true kind=Kind::Quiet attr:aria-label=label disabled=Signal::derive(move || forms.withdraw.pending().get())>"Withdraw offer"</Button>
            </ActionForm>
        }
    });
    let remove = member.may.remove.then(|| {
        let (slug, user) = (slug.to_owned(), id.clone());
        view! {
            <Confirm
                id=format!("remove-{id}")
                act="Remove"
                label=format!("Remove {name}")
                question=format!("Remove {name}?")
                message="They are out of this workspace within seconds, on open pages too. What they did stays, and they can be invited again."
            >
                <ActionForm action=forms.remove>
                    <input type="hidden" name="slug" value=slug/>
                    <input type="hidden" name="user" value=user/>
                    <Button submit=true kind=Kind::Danger disabled=Signal::derive(move || forms.remove.pending().get())>"Remove member"</Button>
                </ActionForm>
            </Confirm>
        }
    });
    view! { {offer} {withdraw} {remove} }.into_any()
}
