//! The page's content: what is masked, and the form that masks another field.

use clarity_domain::view::masking::Masking;
use leptos::prelude::*;

use super::{
    api::{Add, Remove},
    form::AddForm,
    rows::Rows,
};
use crate::{
    error::PageError,
    features::rewrite::RewriteCard,
    layout::{
        page::{Crumb, Page},
        refused::Refused,
    },
    ui::{card::Card, icon::Symbol, note::EmptyNote},
};

/// The forms of the page. It reads again when one of them was sent, but for a mask that was refused: what was typed stays.
#[derive(Clone, Copy)]
pub struct Forms {
    pub add: ServerAction<Add>,
    pub remove: ServerAction<Remove>,
}

impl Forms {
    pub fn unsent() -> Self {
        Self { add: ServerAction::new(), remove: ServerAction::new() }
    }

    fn failed(self) -> Option<PageError> {
        self.remove.value().get().and_then(Result::err)
    }

    /// Changes when the page has to be read again.
    pub fn sent(self) -> Memo<[usize; 2]> {
        let added = Memo::new(move |before: Option<&usize>| {
            let done = self.add.value().with(|value| matches!(value, Some(Ok(()))));
            before.copied().unwrap_or_default() + usize::from(done)
        });
        Memo::new(move |_| [added.get(), self.remove.version().get()])
    }
}

#[component]
pub fn MaskingContent(slug: String, page: Masking, forms: Forms) -> impl IntoView {
    let Masking { as_of, policies, streams } = page;
    let lead = match policies.len() {
        0 => "No field is masked".to_owned(),
        1 => "1 field is masked".to_owned(),
        n => format!("{n} fields are masked"),
    };
    let rewrite = view! { <RewriteCard slug=slug.clone()/> };
    let form = view! { <AddForm slug=slug.clone() streams add=forms.add/> };
    let list = if policies.is_empty() {
        view! { <EmptyNote symbol=Symbol::Eye title="Everything comes in the clear" message="Mask what need not be known here: names, numbers of persons, what somebody earns."/> }
            .into_any()
    } else {
        view! { <Rows slug policies base=as_of forms/> }.into_any()
    };
    view! {
        <Page crumbs=vec![Crumb::here("Masking")]>
            <div class="cs-head">
                <div class="cs-head__text"><h1>"Masking"</h1><p>{lead}</p></div>
            </div>
            <div class="cs-stack">
                {move || forms.failed().map(|error| view! { <Refused error/> })}
                <Card title="Masked fields">{list}</Card>
                <Card title="Mask a field" remark="from now on: what is kept already does not change by it">{form}</Card>
                {rewrite}
            </div>
        </Page>
    }
}
