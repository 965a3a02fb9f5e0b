//! The owners' page: the provider, its test, whether it is required, the workspace's domains.

use clarity_domain::view::sso::SsoPage;
use leptos::{form::ActionForm, prelude::*};

use super::{
    api::{BreakGlass, Remove, Require, SetSso, Unlink},
    connection::Connection,
    found::Test,
    linked::Linked,
    required::Required,
};
use crate::{
    error::PageError,
    layout::{
        page::{Crumb, Page},
        refused::Refused,
    },
    ui::{
        button::{Button, Kind},
        card::Card,
        confirm::Confirm,
        copy::CopyCode,
    },
};

/// The fields that show their own errors.
const FIELDS: [&str; 3] = ["issuer", "client_id", "client_secret"];

/// The forms of the page. It reads again when one of them was sent, but for a provider that was refused: what was typed stays.
#[derive(Clone, Copy)]
pub struct Forms {
    pub set: ServerAction<SetSso>,
    pub require: ServerAction<Require>,
    pub break_glass: ServerAction<BreakGlass>,
    pub remove: ServerAction<Remove>,
    pub unlink: ServerAction<Unlink>,
}

impl Forms {
    pub fn unsent() -> Self {
        Self {
            set: ServerAction::new(),
            require: ServerAction::new(),
            break_glass: ServerAction::new(),
            remove: ServerAction::new(),
            unlink: ServerAction::new(),
        }
    }

    fn failed(self) -> Option<PageError> {
        let set = self.set.value().get().and_then(Result::err).filter(|error| error.beside_fields(&FIELDS).is_some());
        let others = [
            self.require.value().get(),
            self.break_glass.value().get(),
            self.remove.value().get(),
            self.unlink.value().get(),
        ];
        set.or_else(|| others.into_iter().flatten().find_map(Result::err))
    }

    /// Changes when the page has to be read again.
    pub fn sent(self) -> Memo<[usize; 5]> {
        let set = Memo::new(move |before: Option<&usize>| {
            let done = self.set.value().with(|value| matches!(value, Some(Ok(()))));
            before.copied().unwrap_or_default() + usize::from(done)
        });
        Memo::new(move |_| {
            [
                set.get(),
                self.require.version().get(),
                self.break_glass.version().get(),
                self.remove.version().get(),
                self.unlink.version().get(),
            ]
        })
    }
}

#[component]
pub fn SsoContent(
    slug: String,
    page: SsoPage,
    /// The workspace's domains, as a card.
    domains: AnyView,
    forms: Forms,
) -> impl IntoView {
    let SsoPage { as_of, confirmed, redirect_uri, start_url, connection, owners, linked } = page;
    let below = connection.clone().map(|connection| {
        let (found, tested_at, enabled) = (connection.found.clone(), connection.tested_at, connection.enabled);
        let remove = slug.clone();
        view! {
            <Test slug=slug.clone() found tested_at base=as_of/>
            {enabled.then(|| view! {
                <Card title="Where members begin" remark="a link for your intranet">
                    <CopyCode code=start_url what="the link"/>
                </Card>
            })}
            <Required slug=slug.clone() connection owners forms/>
            <Linked slug=slug.clone() linked base=as_of forms/>
            <Card title="Remove single sign-on">
                <div class="cs-stack">
                    <p class="cs-quiet">"Whoever came by it is out with their next page. Their accounts and roles stay."</p>
                    <div>
                        <Confirm
                            id="remove-sso"
                            act="Remove"
                            label="Remove single sign-on"
                            question="Remove single sign-on?"
                            message="Whoever has no password asks for one by letter to come in again."
                        >
                            <ActionForm action=forms.remove>
                                <input type="hidden" name="slug" value=remove/>
                                <Button submit=true kind=Kind::Danger disabled=Signal::derive(move || forms.remove.pending().get())>"Remove it"</Button>
                            </ActionForm>
                        </Confirm>
                    </div>
                </div>
            </Card>
        }
    });
    view! {
        <Page crumbs=vec![Crumb::here("Single sign-on")]>
            <div class="cs-head">
                <div class="cs-head__text"><h1>"Single sign-on"</h1><p>"Members come in with the accounts of your own identity provider"</p></div>
            </div>
            <div class="cs-stack">
                {move || forms.failed().map(|error| view! { <Refused error/> })}
                <Connection slug=slug.clone() redirect_uri connection confirmed forms/>
                {below}
                {domains}
            </div>
        </Page>
    }
}
