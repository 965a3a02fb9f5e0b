//! The page's content: who waits, who is in, and what became of the others.

use clarity_domain::view::support::SupportPage;
use leptos::prelude::*;

use super::{
    api::{ApproveSupport, EndSupport, RefuseSupport},
    rows::{Live, Open, Past},
};
use crate::{
    error::PageError,
    layout::{
        page::{Crumb, Page},
        refused::Refused,
    },
    ui::card::Card,
};

/// The forms of the page. It reads again when one of them was sent.
#[derive(Clone, Copy)]
pub struct Forms {
    pub approve: ServerAction<ApproveSupport>,
    pub refuse: ServerAction<RefuseSupport>,
    pub end: ServerAction<EndSupport>,
}

impl Forms {
    pub fn unsent() -> Self {
        Self { approve: ServerAction::new(), refuse: ServerAction::new(), end: ServerAction::new() }
    }

    /// Changes when the page has to be read again.
    pub fn sent(self) -> Memo<usize> {
        // Asked as well when the page is about to go, and its actions are gone.
        let sent = [self.approve.version(), self.refuse.version(), self.end.version()];
        Memo::new(move |_| sent.iter().filter_map(|version| version.try_get()).sum())
    }

    fn failed(self) -> Option<PageError> {
        let all = [self.approve.value().get(), self.refuse.value().get(), self.end.value().get()];
        all.into_iter().flatten().find_map(Result::err)
    }
}

#[component]
pub fn SupportContent(slug: String, page: SupportPage, forms: Forms) -> impl IntoView {
    let SupportPage { as_of, may_decide, open, live, past } = page;
    let nobody = open.is_empty() && live.is_empty();
    let waiting = (!open.is_empty()).then(|| {
        view! { <Open slug=slug.clone() requests=open may_decide base=as_of forms/> }
    });
    let inside = (!live.is_empty()).then(|| {
        view! { <Live slug=slug.clone() requests=live may_decide forms/> }
    });
    view! {
        <Page crumbs=vec![Crumb::here("Support access")]>
            <div class="cs-head">
                <div class="cs-head__text">
                    <h1>"Support access"</h1>
                    <p>"Nobody of Clarity Stream sees your data unless an owner lets them, for a time. They see how agents and sources are and why events could not be read: no values, and nothing of your members"</p>
                </div>
            </div>
            <div class="cs-stack">
                {move || forms.failed().map(|error| view! { <Refused error/> })}
                {inside}
                {waiting}
                {nobody.then(|| view! { <p class="cs-quiet">"Nobody asks for access, and nobody has it."</p> })}
                <Card title="Before" remark="the last fifty requests, with what was read"><Past requests=past base=as_of/></Card>
            </div>
        </Page>
    }
}
