//! The page's content: a change that is looked at, the classes of data, legal holds.

use clarity_domain::view::retention::Retention;
use leptos::prelude::*;

use super::{
    api::{Hold, Lift, SetKeep},
    holds::Holds,
    preview::Preview,
    rows::Rows,
};
use crate::{
    layout::{
        page::{Crumb, Page},
        refused::Refused,
    },
    ui::{card::Card, note::Banner, pill::Tone},
};

/// The forms of the page. It reads again when one of them was sent.
#[derive(Clone, Copy)]
pub struct Forms {
    pub set: ServerAction<SetKeep>,
    pub hold: ServerAction<Hold>,
    pub lift: ServerAction<Lift>,
}

impl Forms {
    pub fn unsent() -> Self {
        Self { set: ServerAction::new(), hold: ServerAction::new(), lift: ServerAction::new() }
    }

    /// Changes when the page has to be read again.
    pub fn sent(self) -> Memo<[usize; 3]> {
        // A hold that was refused is not read again for: what was typed stays.
        let placed = Memo::new(move |before: Option<&usize>| {
            let done = self.hold.value().with(|value| matches!(value, Some(Ok(()))));
            before.copied().unwrap_or_default() + usize::from(done)
        });
        Memo::new(move |_| [self.set.version().get(), placed.get(), self.lift.version().get()])
    }
}

#[component]
pub fn RetentionContent(slug: String, page: Retention, forms: Forms) -> impl IntoView {
    let Retention { as_of, rows, holds, may_hold, preview } = page;
    let held = !holds.is_empty();
    let failed = move || forms.set.value().get().and_then(Result::err);
    let preview = preview.map(|preview| view! { <Preview slug=slug.clone() preview held set=forms.set/> });
    let table = view! { <Rows slug=slug.clone() rows base=as_of/> };
    view! {
        <Page crumbs=vec![Crumb::here("Retention")]>
            <div class="cs-head">
                <div class="cs-head__text"><h1>"Retention"</h1><p>"How long this workspace keeps what. Whole UTC days go, every hour, in small steps"</p></div>
            </div>
            <div class="cs-stack">
                {held.then(|| view! { <Banner tone=Tone::Warn>"A legal hold is open: nothing is removed."</Banner> })}
                {move || failed().map(|error| view! { <Refused error/> })}
                {preview}
                <Card title="Data" remark="oldest and size as the last run left them">
                    {table}
                    <p class="cs-quiet">"Exports are made while they are downloaded. None is stored here, so there is no time to choose for them."</p>
                </Card>
                <Holds slug holds may_hold base=as_of forms/>
            </div>
        </Page>
    }
}
