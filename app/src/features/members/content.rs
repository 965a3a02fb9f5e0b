//! The page's content: one's own place for everybody; for those who manage members the list, the form and what is out.

use clarity_domain::{
    role::Permission,
    view::members::{Members, MembersPage},
};
use leptos::prelude::*;

use super::{
    api::{
        AcceptOwnership, ChangeRole, Invite, Leave, Limit, Offer, Remove, RequireSecondFactor, Resend, Revoke, Withdraw,
    },
    invitations::{InviteForm, Invited, OpenInvitations},
    model,
    own::{Leaving, OfferedToYou, OwnPlace},
    policy::SecondFactorPolicy,
    rows::Rows,
};
use crate::{
    error::PageError,
    layout::{
        page::{Crumb, Page},
        refused::Refused,
    },
    paths,
    ui::card::Card,
};

/// The forms of the page. It reads again when one of them was sent, but for an invitation that was not: what was typed
/// stays.
#[derive(Clone, Copy)]
pub struct Forms {
    pub invite: ServerAction<Invite>,
    pub resend: ServerAction<Resend>,
    pub revoke: ServerAction<Revoke>,
    pub change_role: ServerAction<ChangeRole>,
    pub limit: ServerAction<Limit>,
    pub remove: ServerAction<Remove>,
    pub leave: ServerAction<Leave>,
    pub offer: ServerAction<Offer>,
    pub withdraw: ServerAction<Withdraw>,
    pub accept: ServerAction<AcceptOwnership>,
    pub require: ServerAction<RequireSecondFactor>,
}

impl Forms {
    pub fn unsent() -> Self {
        Self {
            invite: ServerAction::new(),
            resend: ServerAction::new(),
            revoke: ServerAction::new(),
            change_role: ServerAction::new(),
            limit: ServerAction::new(),
            remove: ServerAction::new(),
            leave: ServerAction::new(),
            offer: ServerAction::new(),
            withdraw: ServerAction::new(),
            accept: ServerAction::new(),
            require: ServerAction::new(),
        }
    }

    /// What the forms were answered that show no error of their own, when it was no.
    fn failed(self) -> Option<PageError> {
        let all = [
            self.resend.value().get(),
            self.revoke.value().get(),
            self.change_role.value().get(),
            self.limit.value().get(),
            self.remove.value().get(),
            self.leave.value().get(),
            self.offer.value().get(),
            self.withdraw.value().get(),
            self.accept.value().get(),
            self.require.value().get(),
        ];
        all.into_iter().flatten().find_map(Result::err)
    }

    /// Changes when the page has to be read again. What was refused changes nothing where something was typed or ticked.
    pub fn sent(self) -> Memo<[usize; 11]> {
        let [invited, limited] = [self.invite.value(), self.limit.value()].map(|value| {
            Memo::new(move |before: Option<&usize>| {
                let done = value.with(|value| matches!(value, Some(Ok(()))));
                before.copied().unwrap_or_default() + usize::from(done)
            })
        });
        Memo::new(move |_| {
            [
                invited.get(),
                self.resend.version().get(),
                self.revoke.version().get(),
                self.change_role.version().get(),
                limited.get(),
                self.remove.version().get(),
                self.leave.version().get(),
                self.offer.version().get(),
                self.withdraw.version().get(),
                self.accept.version().get(),
                self.require.version().get(),
            ]
        })
    }
}

#[component]
pub fn MembersContent(slug: String, page: MembersPage, forms: Forms) -> impl IntoView {
    let MembersPage { own, all } = page;
    let lead = match &all {
        Some(all) => format!("{} in this workspace", model::people(all.members_total)),
        None => "Your place in this workspace".to_owned(),
    };
    let offer = own.offer_to_you.clone();
    let role = own.role;
    let policy = role.may(Permission::OwnWorkspace).then(|| {
        let (required, own) = (own.second_factor_required, own.second_factor);
        view! { <SecondFactorPolicy slug=slug.clone() required own require=forms.require/> }
    });
    let end = role.may(Permission::OwnWorkspace).then(|| {
        let href = paths::deletion(&slug);
        view! { <p class="cs-quiet"><a class="cs-link" href=href>"Delete this workspace"</a></p> }
    });
    let leaving = view! { <Leaving slug=slug.clone() last_owner=own.last_owner leave=forms.leave/> };
    let body = match all {
        Some(Members { as_of, confirmed, members, members_total, invitations, sites }) => {
            let emails = invitations.iter().map(|row| row.email.clone()).collect();
            let sites_page = paths::sites(&slug);
            let hidden = (members_total as usize).saturating_sub(members.len());
            let form = view! { <InviteForm slug=slug.clone() role sites=sites.clone() confirmed invite=forms.invite/> };
            let rows = view! { <Rows slug=slug.clone() members sites=sites.clone() you=own.you role forms/> };
            let open = view! { <OpenInvitations slug=slug.clone() invitations sites base=as_of forms/> };
            view! {
                <Invited emails/>
                <Card title="Invite a colleague" remark="they get a letter with a link that works once, for 72 hours">{form}</Card>
                <p class="cs-quiet"><a class="cs-link" href=sites_page>"Sites and the machines at them"</a></p>
                <Card title="Members">
                    {rows}
                    {(hidden > 0).then(|| view! { <p class="cs-quiet">{format!("{hidden} more are not shown.")}</p> })}
                </Card>
                <Card title="Open invitations">{open}</Card>
            }
            .into_any()
        }
        None => view! { <OwnPlace role/> }.into_any(),
    };
    view! {
        <Page crumbs=vec![Crumb::here("Members")]>
            <div class="cs-head">
                <div class="cs-head__text"><h1>"Members"</h1><p>{lead}</p></div>
                {leaving}
            </div>
            <div class="cs-stack">
                {move || forms.failed().map(|error| view! { <Refused error/> })}
                {offer.map(|offer| view! { <OfferedToYou slug offer accept=forms.accept/> })}
                {body}
                {policy}
                {end}
            </div>
        </Page>
    }
}
