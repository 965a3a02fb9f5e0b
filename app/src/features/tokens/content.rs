//! The page's content: a token that was just made, the form, and every service account with its tokens.

use clarity_domain::{role::Role, view::tokens::ApiAccess};
use leptos::prelude::*;

use super::{
    account::Account,
    api::{Add, Create, Remove, Revoke},
    create::CreateForm,
    model,
    new::New,
};
use crate::{
    error::PageError,
    layout::{
        page::{Crumb, Page},
        refused::{ConfirmFirst, Refused},
    },
    ui::{card::Card, copy::CopyCode, icon::Symbol, note::EmptyNote},
};

/// The forms of the page. It reads again when one of them was sent, but for a token that was not made: what was typed stays.
#[derive(Clone, Copy)]
pub struct Forms {
    pub create: ServerAction<Create>,
    pub add: ServerAction<Add>,
    pub revoke: ServerAction<Revoke>,
    pub remove: ServerAction<Remove>,
}

impl Forms {
    pub fn unsent() -> Self {
        Self {
            create: ServerAction::new(),
            add: ServerAction::new(),
            revoke: ServerAction::new(),
            remove: ServerAction::new(),
        }
    }

    /// What the forms that are not on the page itself were answered, when it was no.
    fn failed(self) -> Option<PageError> {
        let all = [self.add.value().get(), self.revoke.value().get(), self.remove.value().get()];
        all.into_iter().flatten().find_map(Result::err)
    }

    /// Changes when the page has to be read again.
    pub fn sent(self) -> Memo<[usize; 4]> {
        let created = Memo::new(move |before: Option<&usize>| {
            let done = self.create.value().with(|value| matches!(value, Some(Ok(()))));
            before.copied().unwrap_or_default() + usize::from(done)
        });
        Memo::new(move |_| {
            [created.get(), self.add.version().get(), self.revoke.version().get(), self.remove.version().get()]
        })
    }
}

/// Whoever sees this page may lend what an admin may.
const VIEWER: Role = Role::Admin;

#[component]
pub fn TokensContent(slug: String, access: ApiAccess, forms: Forms) -> impl IntoView {
    let ApiAccess { as_of, accounts, new, confirmed, api_url } = access;
    let lead = match accounts.len() {
        0 => "Programs that read this workspace".to_owned(),
        1 => "1 program reads this workspace".to_owned(),
        n => format!("{n} programs read this workspace"),
    };
    let new = new.map(|new| view! { <New slug=slug.clone() text=new.text/> });
    let form = if confirmed {
        view! { <CreateForm slug=slug.clone() viewer=VIEWER create=forms.create/> }.into_any()
    } else {
        view! { <ConfirmFirst to="to make one"/> }.into_any()
    };
    let list = if accounts.is_empty() {
        view! {
            <Card title="Service accounts">
                <EmptyNote symbol=Symbol::Key title="No API tokens yet" message="Name a program above and make its first token. It reads machines, sources and values over the API, and nothing else."/>
            </Card>
        }
        .into_any()
    } else {
        let each = accounts
            .into_iter()
            .map(|account| view! { <Account slug=slug.clone() account base=as_of confirmed forms/> })
            .collect_view();
        each.into_any()
    };
    view! {
        <Page crumbs=vec![Crumb::here("API tokens")]>
            <div class="cs-head">
                <div class="cs-head__text"><h1>"API tokens"</h1><p>{lead}</p></div>
            </div>
            <div class="cs-stack">
                {move || forms.failed().map(|error| view! { <Refused error/> })}
                {new}
                <Card title="Make a token" remark="for a new service account, a named user that is no person">{form}</Card>
                {list}
                <Card title="How to use one">
                    <div class="cs-stack">
                        <p>"Send the token in the header "<code>"Authorization: Bearer"</code>", never in an address. What there is to read says "<a class="cs-link" href="/api/v1/openapi.json" rel="external">"the API's description"</a>"."</p>
                        <CopyCode code=model::example(&api_url) what="the example"/>
                    </div>
                </Card>
            </div>
        </Page>
    }
}
