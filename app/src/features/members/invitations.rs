//! Asking people in, and the invitations that nobody has accepted yet.

use clarity_domain::{
    role::Role,
    view::{Micros, members::InvitationRow, sites::SiteCard},
};
use leptos::{form::ActionForm, prelude::*};
use leptos_router::hooks::use_query_map;

use super::{Forms, api::Invite, model, sites::SiteChoice};
use crate::{
    layout::refused::Refused,
    paths,
    ui::{
        button::{Button, Kind},
        choice::Choice,
        field::Field,
        icon::Symbol,
        note::{Banner, EmptyNote},
        pill::{Pill, Tone},
        table::{Column, Table},
        time::{Ago, Detail, Time},
    },
};

/// The news that a letter went out. The URL says to whom, so that it is there without script as well; it is believed when
/// there is such an invitation.
#[component]
pub fn Invited(emails: Vec<String>) -> impl IntoView {
    let query = use_query_map();
    let sent = move || {
        let (email, again) = query.with(|query| match query.get("resent") {
            Some(email) => (Some(email), " again, with a new link for 72 hours from now. The one before is dead"),
            None => (query.get("invited"), ""),
        });
        Some((email.filter(|email| emails.contains(email))?, again))
    };
    move || {
        sent().map(|(email, again)| {
            let words = format!("Invitation sent to {email}{again}");
            view! { <Banner tone=Tone::Ok alert=true>{words}</Banner> }
        })
    }
}

#[component]
pub fn InviteForm(
    slug: String,
    /// The viewer's.
    role: Role,
    sites: Vec<SiteCard>,
    /// The viewer has shown of late that it is them.
    confirmed: bool,
    invite: ServerAction<Invite>,
) -> impl IntoView {
    let error = Signal::derive(move || invite.value().get().and_then(Result::err));
    let of_email = Signal::derive(move || error.get().and_then(|error| error.of_field("email")));
    let of_sites = Signal::derive(move || error.get().and_then(|error| error.of_field("sites")));
    // With one site there is nothing to choose.
    let chooses = sites.len() > 1;
    // A form of its own for each invitation: what was sent does not stand in the next one.
    let sent = Memo::new(move |_| invite.value().with(|v| matches!(v, Some(Ok(_)))).then(|| invite.version().get()));
    let choices = model::choices(model::grantable(role));
    let words = model::grantable(role)
        .into_iter()
        .map(|role| format!("{}: {}", model::role_name(role), model::role_words(role)))
        .collect::<Vec<_>>()
        .join(". ");
    // Before the address is typed: it is lost on the way there and back.
    let first = (!confirmed && model::grantable(role).contains(&Role::Admin)).then(|| {
        let href = paths::confirm_then(&paths::members(&slug));
        view! { <p class="cs-quiet">"To invite an admin, "<a class="cs-link" href=href>"confirm that it is you"</a>" first."</p> }
    });
    view! {
        {first}
        <ActionForm action=invite>
            {move || {
                error
                    .get()
                    .filter(|error| error.beside_fields(&["email", "sites"]).is_some())
                    .map(|error| view! { <Refused error/> })
            }}
            <input type="hidden" name="slug" value=slug/>
            <div class="cs-members__invite">
                {move || {
                    sent.track();
                    view! { <Field name="email" label="E-mail" kind="email" maxlength=254 autocomplete="off" error=of_email/> }
                }}
                <Choice id="invite-role" name="role" label="Role" choices value=Role::Operator.as_str()/>
                <Button submit=true large=true kind=Kind::Primary disabled=Signal::derive(move || invite.pending().get())>
                    {move || if invite.pending().get() { "Sending" } else { "Send invitation" }}
                </Button>
            </div>
            {chooses.then(|| view! { <SiteChoice id="invite-sites" legend="Sees" sites limit=None error=of_sites/> })}
        </ActionForm>
        {chooses.then(|| view! { <p class="cs-quiet">"Operators and viewers can be limited to sites: they see the machines of these alone, and nothing that belongs to no machine. Owners and admins administer the whole workspace, so they see every site."</p> })}
        <p class="cs-quiet cs-members__roles">{words}"."</p>
    }
}

#[component]
pub fn OpenInvitations(
    slug: String,
    invitations: Vec<InvitationRow>,
    sites: Vec<SiteCard>,
    base: Micros,
    forms: Forms,
) -> impl IntoView {
    if invitations.is_empty() {
        return view! { <EmptyNote symbol=Symbol::People title="No open invitations" message="Invite a colleague above. Until they accept, the invitation stands here and can be sent again or revoked."/> }
            .into_any();
    }
    let columns = ["E-mail", "Role", "Invited by", "Sent", "Valid until", ""].map(Column::new).to_vec();
    let rows = invitations
        .into_iter()
        .map(|invitation| view! { <Row slug=slug.clone() invitation sites=sites.clone() base forms/> })
        .collect_view();
    view! { <div class="cs-table-scroll"><Table caption="Open invitations" columns>{rows}</Table></div> }.into_any()
}

#[component]
fn Row(slug: String, invitation: InvitationRow, sites: Vec<SiteCard>, base: Micros, forms: Forms) -> impl IntoView {
    let InvitationRow { id, email, role, sites: limit, invited_by, sent_at, expires_at, expired, may_resend } =
        invitation;
    let role = match limit {
        None => model::role_name(role).to_owned(),
        Some(limit) => format!("{} · {}", model::role_name(role), model::sites_words(Some(&limit), &sites)),
    };
    let until = if expired {
        view! { <Pill tone=Tone::Warn text="Expired"/> }.into_any()
    } else {
        view! { <Time at=Some(expires_at) detail=Detail::Day/> }.into_any()
    };
    let resend = may_resend.then(|| {
        let (slug, label) = (slug.clone(), format!("Resend the invitation of {email}"));
        view! {
            <ActionForm action=forms.resend>
                <input type="hidden" name="slug" value=slug/>
                <input type="hidden" name="id" value=id.to_string()/>
                <Button submit=true attr:aria-label=label disabled=Signal::derive(move || forms.resend.pending().get())>"Resend"</Button>
            </ActionForm>
        }
    });
    let label = format!("Revoke the invitation of {email}");
    view! {
        <tr>
            <th scope="row" class="cs-table__wrap cs-members__who">{email}</th>
            <td class="cs-table__wrap" data-label="Role">{role}</td>
            <td class="cs-table__wrap" data-label="Invited by">{invited_by}</td>
            <td data-label="Sent"><Ago at=Some(sent_at) base/></td>
            <td data-label="Valid until">{until}</td>
            <td data-align="end" class="cs-table__acts">
                <div class="cs-row">
                    {resend}
                    <ActionForm action=forms.revoke>
                        <input type="hidden" name="slug" value=slug/>
                        <input type="hidden" name="id" value=id.to_string()/>
                        <Button submit=true kind=Kind::Quiet attr:aria-label=label disabled=Signal::derive(move || forms.revoke.pending().get())>"Revoke"</Button>
                    </ActionForm>
                </div>
            </td>
        </tr>
    }
}
