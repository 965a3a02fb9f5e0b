//! The card: what domains are for, the form that adds one, and every domain with what is to be done.

use clarity_domain::view::domains::WorkspaceDomains;
use leptos::{form::ActionForm, prelude::*};

use super::{
    api::{Add, Check, Remove},
    row::Row,
};
use crate::{
    error::PageError,
    layout::refused::{ConfirmFirst, Refused},
    ui::{
        button::{Button, Kind},
        card::Card,
        field::Field,
    },
};

/// The card's forms. Its page reads again when one of them was sent, but for a domain that was not added: what was typed stays.
#[derive(Clone, Copy)]
pub struct Forms {
    pub add: ServerAction<Add>,
    pub check: ServerAction<Check>,
    pub remove: ServerAction<Remove>,
}

impl Forms {
    pub fn unsent() -> Self {
        Self { add: ServerAction::new(), check: ServerAction::new(), remove: ServerAction::new() }
    }

    /// What the forms were answered, when it was no and no field shows it.
    fn failed(self) -> Option<PageError> {
        let added = self.add.value().get().and_then(Result::err).filter(|error| error.of_field("domain").is_none());
        let others = [self.check.value().get(), self.remove.value().get()];
        added.or_else(|| others.into_iter().flatten().find_map(Result::err))
    }

    /// Changes when the domains have to be read again.
    pub fn sent(self) -> Memo<[usize; 3]> {
        let added = Memo::new(move |before: Option<&usize>| {
            let done = self.add.value().with(|value| matches!(value, Some(Ok(()))));
            before.copied().unwrap_or_default() + usize::from(done)
        });
        Memo::new(move |_| [added.get(), self.check.version().get(), self.remove.version().get()])
    }
}

#[component]
pub fn DomainsCard(slug: String, domains: WorkspaceDomains, forms: Forms) -> impl IntoView {
    let WorkspaceDomains { as_of, confirmed, domains } = domains;
    let of_domain = Signal::derive(move || {
        forms.add.value().get().and_then(Result::err).and_then(|error| error.of_field("domain"))
    });
    let list = if domains.is_empty() {
        view! { <p class="cs-quiet">"No domain yet. Without one, people come in by invitation only."</p> }.into_any()
    } else {
        let rows =
            domains.into_iter().map(|domain| view! { <Row slug=slug.clone() domain base=as_of forms/> }).collect_view();
        view! { <ul class="cs-domains">{rows}</ul> }.into_any()
    };
    let form = if confirmed {
        view! {
            <ActionForm action=forms.add>
                <input type="hidden" name="slug" value=slug/>
                <div class="cs-domains__add">
                    <Field name="domain" id="add-domain" label="Domain" maxlength=253 autocomplete="off" help="Such as company.com" error=of_domain/>
                    <Button submit=true large=true kind=Kind::Primary disabled=Signal::derive(move || forms.add.pending().get())>
                        {move || if forms.add.pending().get() { "Adding" } else { "Add domain" }}
                    </Button>
                </div>
            </ActionForm>
        }
        .into_any()
    } else {
        view! { <ConfirmFirst to="to add a domain"/> }.into_any()
    };
    view! {
        <Card title="Domains" remark="shown by a text in DNS">
            <div class="cs-stack">
                {move || forms.failed().map(|error| view! { <Refused error/> })}
                <p class="cs-quiet">"Whoever signs in through your identity provider with an address of a verified domain becomes a member without an invitation."</p>
                {list}
                {form}
            </div>
        </Card>
    }
}
