//! The address that a person signs in with, the one that waits to become it, and the form for another.

use clarity_domain::view::session::{OwnEmail, WaitingEmail};
use leptos::{form::ActionForm, prelude::*};

use super::api::{Ask, Withdraw};
use crate::{
    layout::refused::{ConfirmFirst, Refused},
    ui::{
        button::{Button, Kind},
        card::Card,
        field::Field,
        note::Banner,
        pill::Tone,
        time::{Detail, Time},
    },
};

/// The forms of the card, after which the page reads again.
#[derive(Clone, Copy)]
pub struct Forms {
    pub ask: ServerAction<Ask>,
    pub withdraw: ServerAction<Withdraw>,
}

impl Forms {
    pub fn unsent() -> Self {
        Self { ask: ServerAction::new(), withdraw: ServerAction::new() }
    }

    /// Changes when the page has to be read again. What was refused changes nothing, and what was typed stays.
    pub fn sent(self) -> Memo<[usize; 2]> {
        let asked = Memo::new(move |before: Option<&usize>| {
            let done = self.ask.value().with(|value| matches!(value, Some(Ok(()))));
            before.copied().unwrap_or_default() + usize::from(done)
        });
        Memo::new(move |_| [asked.get(), self.withdraw.version().get()])
    }
}

#[component]
pub fn EmailCard(
    slug: String,
    own: OwnEmail,
    forms: Forms,
    /// It became another one a moment ago.
    changed: Signal<bool>,
) -> impl IntoView {
    let OwnEmail { address, waiting, by_sso, confirmed } = own;
    let body = if by_sso {
        view! { <p class="cs-quiet">"You came by single sign-on: your company's provider says who you are, whatever this address is. To change it, sign in with your account's password."</p> }
            .into_any()
    } else {
        view! { <Change slug waiting confirmed forms/> }.into_any()
    };
    view! {
        <Card title="E-mail address" remark="you sign in with it, and letters go there">
            {move || changed.get().then(|| view! { <Banner tone=Tone::Ok>"Your e-mail address is changed. Your other sessions are ended."</Banner> })}
            <div class="cs-stack">
                <p>"You sign in as " <b class="cs-email">{address}</b></p>
                {body}
            </div>
        </Card>
    }
}

#[component]
fn Change(slug: String, waiting: Option<WaitingEmail>, confirmed: bool, forms: Forms) -> impl IntoView {
    let Forms { ask, withdraw } = forms;
    let error = Signal::derive(move || ask.value().get().and_then(Result::err));
    let of_email = Signal::derive(move || error.get().and_then(|error| error.of_field("email")));
    let beside = move || error.get().filter(|error| error.of_field("email").is_none());
    let open = waiting.map(|waiting| view! { <Waiting slug=slug.clone() waiting withdraw/> });
    let form = if confirmed {
        view! { <AskForm slug ask error=of_email/> }.into_any()
    } else {
        view! { <ConfirmFirst to="to change it"/> }.into_any()
    };
    view! {
        {open}
        {move || withdraw.value().get().and_then(Result::err).map(|error| view! { <Refused error/> })}
        {move || beside().map(|error| view! { <Refused error/> })}
        {form}
    }
}

#[component]
fn AskForm(
    slug: String,
    ask: ServerAction<Ask>,
    /// Of the address.
    error: Signal<Option<String>>,
) -> impl IntoView {
    view! {
        <ActionForm action=ask><div class="cs-form">
            <input type="hidden" name="slug" value=slug/>
            <Field name="email" id="new-email" label="New e-mail address" kind="email" autocomplete="email" maxlength=254 help="A letter goes there; nothing changes before its link is used" error/>
            <Button kind=Kind::Primary submit=true disabled=Signal::derive(move || ask.pending().get())>
                {move || if ask.pending().get() { "Sending the letter" } else { "Send the letter" }}
            </Button>
        </div></ActionForm>
    }
}

/// A letter is on its way.
#[component]
fn Waiting(slug: String, waiting: WaitingEmail, withdraw: ServerAction<Withdraw>) -> impl IntoView {
    let WaitingEmail { address, ends_at } = waiting;
    view! {
        <Banner tone=Tone::Ok>
            "We have sent a letter to " <b class="cs-email">{address}</b> ". Open the link in it, signed in as now, until "
            <Time at=Some(ends_at) detail=Detail::Minute/> ". Until then you sign in as before."
        </Banner>
        <ActionForm action=withdraw>
            <input type="hidden" name="slug" value=slug/>
            <Button submit=true disabled=Signal::derive(move || withdraw.pending().get())>"Keep the address as it is"</Button>
        </ActionForm>
    }
}
