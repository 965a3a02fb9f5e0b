//! A service account with its tokens, a line each, and what can be done to both.

use clarity_domain::view::{
    Micros,
    tokens::{ApiToken, ServiceAccount, TokenState},
};
use leptos::{form::ActionForm, prelude::*};

use super::{Forms, create::AddForm, model};
use crate::{
    features::members::role_name,
    layout::refused::ConfirmFirst,
    ui::{
        button::{Button, Kind},
        card::Card,
        confirm::Confirm,
        pill::Pill,
        table::{Column, Table},
        time::{Ago, Detail, Time},
    },
};

#[component]
pub fn Account(
    slug: String,
    account: ServiceAccount,
    base: Micros,
    /// The viewer has shown of late that it is them.
    confirmed: bool,
    forms: Forms,
) -> impl IntoView {
    let name = account.name.clone();
    let remark =
        format!("{}, made by {}, {}", role_name(account.role), account.created_by, model::live_tokens(&account.tokens));
    let columns = ["Token", "May read", "Made by", "Expires", "Last used", "State", ""].map(Column::new).to_vec();
    let rows = account
        .tokens
        .iter()
        .map(|token| view! { <Row slug=slug.clone() token=token.clone() base forms/> })
        .collect_view();
    let caption = format!("Tokens of {name}");
    let aside = acts(&slug, &account, confirmed, forms);
    view! {
        <Card title=name remark aside>
            <div class="cs-table-scroll"><Table caption columns>{rows}</Table></div>
        </Card>
    }
}

/// Another token, and the end of the account.
fn acts(slug: &str, account: &ServiceAccount, confirmed: bool, forms: Forms) -> AnyView {
    let (id, name) = (account.id.to_string(), account.name.clone());
    let form = if confirmed {
        view! { <AddForm slug=slug.to_owned() account=account.clone() add=forms.add/> }.into_any()
    } else {
        view! { <ConfirmFirst to="to make one"/> }.into_any()
    };
    let add = view! {
        <Confirm
            id=format!("add-{id}")
            act="Add a token"
            label=format!("Add a token to {name}")
            question=format!("Another token of {name}")
            message="The tokens it has go on until they are revoked or expire: give the program the new one, then revoke the old."
        >
            {form}
        </Confirm>
    };
    let slug = slug.to_owned();
    let remove = view! {
        <Confirm
            id=format!("remove-{id}")
            act="Remove"
            label=format!("Remove {name}")
            question=format!("Remove {name}?")
            message="All its tokens stop working with their next request. What it did stays in the audit log."
            kind=Kind::Quiet
        >
            <ActionForm action=forms.remove>
                <input type="hidden" name="slug" value=slug/>
                <input type="hidden" name="id" value=id/>
                <Button submit=true kind=Kind::Danger disabled=Signal::derive(move || forms.remove.pending().get())>"Remove account"</Button>
            </ActionForm>
        </Confirm>
    };
    view! { <div class="cs-row">{add} {remove}</div> }.into_any()
}

#[component]
fn Row(slug: String, token: ApiToken, base: Micros, forms: Forms) -> impl IntoView {
    let (tone, word) = model::state(&token, base);
    let scopes = token.scopes.iter().map(|scope| view! { <code>{scope.as_str()}</code> }).collect_view();
    let used = match token.last_used_at {
        Some(at) => view! { <Ago at=Some(at) base/> }.into_any(),
        None => view! { <span class="cs-quiet">"Never"</span> }.into_any(),
    };
    let revoke = (token.state == TokenState::Live).then(|| {
        let (id, name) = (token.id.to_string(), token.name.clone());
        view! {
            <Confirm
                id=format!("revoke-{id}")
                act="Revoke"
                label=format!("Revoke {name}")
                question=format!("Revoke {name}?")
                message="Whatever uses it is refused with its next request. This cannot be taken back: make a new token instead."
                kind=Kind::Quiet
            >
                <ActionForm action=forms.revoke>
                    <input type="hidden" name="slug" value=slug/>
                    <input type="hidden" name="id" value=id/>
                    <Button submit=true kind=Kind::Danger disabled=Signal::derive(move || forms.revoke.pending().get())>"Revoke token"</Button>
                </ActionForm>
            </Confirm>
        }
    });
    view! {
        <tr>
            <th scope="row" class="cs-table__wrap cs-tokens__who">{token.name}</th>
            <td class="cs-table__wrap" data-label="May read"><span class="cs-tokens__scopes">{scopes}</span></td>
            <td class="cs-table__wrap" data-label="Made by">{token.created_by}</td>
            <td data-label="Expires"><Time at=Some(token.expires_at) detail=Detail::Day/></td>
            <td data-label="Last used">{used}</td>
            <td data-label="State"><Pill tone text=word/></td>
            <td data-align="end" class="cs-table__acts"><div class="cs-row">{revoke}</div></td>
        </tr>
    }
}
