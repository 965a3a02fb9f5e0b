//! The second step of a change: what would go, and the button that does it.

use clarity_domain::{retention::keep_key, view::retention::RetentionPreview};
use leptos::{form::ActionForm, prelude::*};

use super::{api::SetKeep, model};
use crate::{
    paths,
    ui::{
        button::{Button, Kind, LinkButton},
        card::Card,
        note::Banner,
        pill::Tone,
        time::{Detail, Time},
    },
};

#[component]
pub fn Preview(
    slug: String,
    preview: RetentionPreview,
    /// A legal hold is open.
    held: bool,
    set: ServerAction<SetKeep>,
) -> impl IntoView {
    let words = model::preview_words(&preview);
    let (class, days, rows) = (preview.class.as_str(), keep_key(preview.keep), preview.rows.to_string());
    let goes = preview.cut_at.filter(|_| preview.rows > 0);
    let kind = if preview.shorter { Kind::Danger } else { Kind::Primary };
    let back = paths::retention(&slug);
    let pending = Signal::derive(move || set.pending().get());
    view! {
        <Card title=format!("Change: {}", preview.class.name()) remark="look before you confirm">
            <div class="cs-stack">
                <p>{words}</p>
                {goes.map(|_| view! {
                    <p>
                        "All of it that lies before " <Time at=goes detail=Detail::Exact/>
                        " goes, from " <Time at=preview.oldest_at detail=Detail::Exact/> " on."
                    </p>
                })}
                {preview.shorter.then(|| view! { <Banner tone=Tone::Warn>"What is removed cannot be brought back. This cannot be undone."</Banner> })}
                {held.then(|| view! { <p class="cs-quiet">"A legal hold is open: nothing is removed until it is lifted."</p> })}
                <div class="cs-row">
                    <ActionForm action=set>
                        <input type="hidden" name="slug" value=slug/>
                        <input type="hidden" name="class" value=class/>
                        <input type="hidden" name="days" value=days/>
                        <input type="hidden" name="previewed" value=rows/>
                        <Button submit=true kind disabled=pending>"Confirm"</Button>
                    </ActionForm>
                    <LinkButton href=back>"Cancel"</LinkButton>
                </div>
            </div>
        </Card>
    }
}
