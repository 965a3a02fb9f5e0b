//! The page's content by state: none, one that waits for its first code, one that is on; and new recovery codes before all
//! else.

use clarity_domain::view::second_factor::{SecondFactor, SecondFactorPage};
use leptos::{form::ActionForm, prelude::*};

use super::{
    api::{Begin, Enrol, Kept, NewCodes, Remove},
    enrol::{Codes, Enrolling},
};
use crate::{
    error::PageError,
    features::passkeys::{
        PasskeysCard,
        api::{Remove as RemovePasskey, Rename as RenamePasskey},
    },
    layout::refused::Refused,
    ui::{
        button::{Button, Kind},
        confirm::Confirm,
        note::Banner,
        pill::{Pill, Tone},
        time::{Detail, Time},
    },
};

/// The forms of the page, which reads again when one of them was sent.
#[derive(Clone, Copy)]
pub struct Forms {
    pub begin: ServerAction<Begin>,
    pub enrol: ServerAction<Enrol>,
    pub kept: ServerAction<Kept>,
    pub new_codes: ServerAction<NewCodes>,
    pub remove: ServerAction<Remove>,
    pub remove_passkey: ServerAction<RemovePasskey>,
    pub rename_passkey: ServerAction<RenamePasskey>,
    /// Passkeys that were added since the page was opened.
    pub passkeys_added: RwSignal<usize>,
}

impl Forms {
    pub fn unsent() -> Self {
        Self {
            begin: ServerAction::new(),
            enrol: ServerAction::new(),
            kept: ServerAction::new(),
            new_codes: ServerAction::new(),
            remove: ServerAction::new(),
            remove_passkey: ServerAction::new(),
            rename_passkey: ServerAction::new(),
            passkeys_added: RwSignal::new(0),
        }
    }

    /// What the forms were answered that show no error of their own, when it was no.
    fn failed(self) -> Option<PageError> {
        let all = [
            self.begin.value().get(),
            self.kept.value().get(),
            self.new_codes.value().get(),
            self.remove.value().get(),
            self.remove_passkey.value().get(),
            self.rename_passkey.value().get(),
        ];
        all.into_iter().flatten().find_map(Result::err)
    }

    /// Changes when the page has to be read again. A wrong code or name changes nothing, and what was typed stays.
    pub fn sent(self) -> Memo<[usize; 8]> {
        let count = |before: Option<&usize>, done: bool| before.copied().unwrap_or_default() + usize::from(done);
        let enrolled = Memo::new(move |before: Option<&usize>| {
            count(before, self.enrol.value().with(|value| matches!(value, Some(Ok(())))))
        });
        let renamed = Memo::new(move |before: Option<&usize>| {
            count(before, self.rename_passkey.value().with(|value| matches!(value, Some(Ok(())))))
        });
        Memo::new(move |_| {
            [
                self.begin.version().get(),
                enrolled.get(),
                self.kept.version().get(),
                self.new_codes.version().get(),
                self.remove.version().get(),
                self.remove_passkey.version().get(),
                renamed.get(),
                self.passkeys_added.get(),
            ]
        })
    }
}

#[component]
pub fn SecondFactorContent(
    page: SecondFactorPage,
    /// Where the person came from.
    next: Option<String>,
    forms: Forms,
) -> impl IntoView {
    let missing = !page.is_on();
    let SecondFactorPage { state, passkeys, required_by, new_codes, by_sso } = page;
    if by_sso.is_some() {
        return view! { <p class="cs-quiet">"You came by single sign-on, which has a second factor of its own. Sign in with your account's password to change your account's."</p> }
            .into_any();
    }
    let asked = (missing && !required_by.is_empty()).then(|| {
        let words = format!("{} asks its members for a second factor. Add one to go on.", required_by.join(", "));
        view! { <Banner tone=Tone::Warn>{words}</Banner> }
    });
    let for_app = next.clone();
    let body = match (new_codes, state) {
        (Some(codes), _) => return view! { <Codes codes next kept=forms.kept/> }.into_any(),
        (None, SecondFactor::Off) => view! { <Off next=for_app begin=forms.begin/> }.into_any(),
        (None, SecondFactor::Enrolling(enrolment)) => {
            view! { <Enrolling enrolment next=for_app enrol=forms.enrol begin=forms.begin/> }.into_any()
        }
        (None, SecondFactor::On { since, .. }) => view! { <On since next=for_app forms/> }.into_any(),
    };
    let codes_left = passkeys.codes_left;
    let codes = (!missing).then(|| view! { <CodesLeft codes_left next=next.clone() forms/> });
    view! {
        {move || forms.failed().map(|error| view! { <Refused error/> })}
        {asked}
        {body}
        {codes}
        <PasskeysCard passkeys next remove=forms.remove_passkey rename=forms.rename_passkey added=forms.passkeys_added/>
    }
    .into_any()
}

/// The hidden field that brings the person back.
pub(super) fn back(next: Option<String>) -> impl IntoView {
    next.map(|next| view! { <input type="hidden" name="next" value=next/> })
}

#[component]
fn Off(next: Option<String>, begin: ServerAction<Begin>) -> impl IntoView {
    view! {
        <p>"Beside your password, you are asked for a code that an app on your phone makes every 30 seconds. Whoever learns your password still does not get in."</p>
        <p class="cs-quiet">"Any authenticator app will do. Your other sessions end when you add it."</p>
        <ActionForm action=begin>
            {back(next)}
            <Button submit=true large=true kind=Kind::Primary disabled=Signal::derive(move || begin.pending().get())>"Add a second factor"</Button>
        </ActionForm>
    }
}

#[component]
fn On(since: i64, next: Option<String>, forms: Forms) -> impl IntoView {
    view! {
        <p class="cs-row"><Pill tone=Tone::Ok text="On"/> <span>"since " <Time at=Some(since) detail=Detail::Day/></span></p>
        <div class="cs-row">
            <Confirm
                id="remove-second-factor"
                act="Remove"
                label="Remove the second factor"
                question="Remove the second factor?"
                message="No code of your app is asked for then. Without a passkey, your password alone signs you in, and your recovery codes are of no use any more. Workspaces that ask for a second factor let you in only when you have added one again."
            >
                <ActionForm action=forms.remove>
                    {back(next)}
                    <Button submit=true kind=Kind::Danger disabled=Signal::derive(move || forms.remove.pending().get())>"Remove it"</Button>
                </ActionForm>
            </Confirm>
        </div>
    }
}

/// Recovery codes stand in for whatever second factor is lost.
#[component]
fn CodesLeft(codes_left: u32, next: Option<String>, forms: Forms) -> impl IntoView {
    let left = match codes_left {
        0 => "No recovery code is left.".to_owned(),
        1 => "1 recovery code is left.".to_owned(),
        n => format!("{n} recovery codes are left."),
    };
    let few = codes_left < 3;
    view! {
        <p class=if few { "cs-second-factor__few" } else { "cs-quiet" }>{left}</p>
        <ActionForm action=forms.new_codes>
            {back(next)}
            <Button submit=true disabled=Signal::derive(move || forms.new_codes.pending().get())>"Make new recovery codes"</Button>
        </ActionForm>
    }
}
