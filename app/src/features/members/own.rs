//! One's own place: the role, leaving, and ownership that somebody offers.

use clarity_domain::{role::Role, view::members::OfferToYou};
use leptos::{form::ActionForm, prelude::*};

use super::{
    api::{AcceptOwnership, Leave},
    model,
};
use crate::ui::{
    button::{Button, Kind},
    card::Card,
    confirm::Confirm,
    time::{Detail, Time},
};

/// For those who see nobody else here.
#[component]
pub fn OwnPlace(role: Role) -> impl IntoView {
    let words = format!("You are {} here: {}.", model::a_role(role), model::role_words(role));
    view! {
        <Card title="Your membership">
            <p>{words}</p>
            <p class="cs-quiet">"Admins and owners invite people and change roles."</p>
        </Card>
    }
}

/// The button that leaves, or why there is none.
#[component]
pub fn Leaving(slug: String, last_owner: bool, leave: ServerAction<Leave>) -> impl IntoView {
    if last_owner {
        return view! { <p class="cs-quiet cs-members__last">"You are the last owner: to leave, offer ownership to another member first."</p> }.into_any();
    }
    view! {
        <Confirm
            id="leave-workspace"
            act="Leave workspace"
            label="Leave workspace"
            question="Leave this workspace?"
            message="You lose access at once, and come back only when somebody invites you. What you did stays."
        >
            <ActionForm action=leave>
                <input type="hidden" name="slug" value=slug/>
                <Button submit=true kind=Kind::Danger disabled=Signal::derive(move || leave.pending().get())>"Leave"</Button>
            </ActionForm>
        </Confirm>
    }
    .into_any()
}

/// The second of the two steps to an owner.
#[component]
pub fn OfferedToYou(slug: String, offer: OfferToYou, accept: ServerAction<AcceptOwnership>) -> impl IntoView {
    let words = format!("{} offers to make you an owner of this workspace: everything, and billing.", offer.by);
    view! {
        <Card title="Ownership is offered to you">
            <div class="cs-stack">
                <p>{words}</p>
                <p class="cs-quiet">"Open until " <Time at=Some(offer.expires_at) detail=Detail::Day/></p>
                <ActionForm action=accept>
                    <input type="hidden" name="slug" value=slug/>
                    <Button submit=true kind=Kind::Primary disabled=Signal::derive(move || accept.pending().get())>"Accept ownership"</Button>
                </ActionForm>
            </div>
        </Card>
    }
}
