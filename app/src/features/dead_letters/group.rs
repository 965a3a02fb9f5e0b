//! Letters of one cause: what, how many, how they look, and the button that tries them again.

use clarity_domain::view::dead_letters::{DeadLetterGroup, ReplayProgress};
use leptos::{form::ActionForm, prelude::*};

use super::api::Replay;
use crate::{
    paths,
    ui::{
        button::Button,
        note::Banner,
        number,
        pill::Tone,
        progress::{Done, Progress},
        time::{Ago, Detail, Time},
    },
};

#[component]
pub fn Group(slug: String, group: DeadLetterGroup, base: i64, action: ServerAction<Replay>) -> impl IntoView {
    let running = group.replay.as_ref().is_some_and(|replay| replay.finished_at.is_none());
    let source = paths::source(&slug, group.source_id);
    let samples = group
        .samples
        .into_iter()
        .map(|sample| {
            view! {
                <div class="cs-letter__sample">
                    <small class="cs-quiet cs-number">
                        "Epoch " {sample.epoch} ", sequence " {number::whole(sample.seq.max(0) as u64)} ", received " <Time at=Some(sample.received_at) detail=Detail::Day/>
                    </small>
                    <pre tabindex="0"><code>{sample.payload}{sample.truncated.then_some(" …")}</code></pre>
                </div>
            }
        })
        .collect_view();
    let words = format!("{} letter{}", number::whole(group.count), if group.count == 1 { "" } else { "s" });
    view! {
        <section class="cs-card cs-letter">
            <div class="cs-letter__head">
                <div class="cs-letter__cause">
                    <h2>{group.cause}</h2>
                    <p>
                        <b class="cs-number">{words}</b> " in " {group.stream} " of " <a class="cs-link" href=source>{group.source}</a>
                        ", oldest " <Ago at=Some(group.oldest_at) base/> ", newest " <Ago at=Some(group.newest_at) base/>
                    </p>
                </div>
                <ActionForm action=action>
                    <input type="hidden" name="slug" value=slug/>
                    <input type="hidden" name="stream" value=group.stream_id.to_string()/>
                    <input type="hidden" name="fingerprint" value=group.fingerprint/>
                    <Button submit=true disabled=Signal::derive(move || running || action.pending().get())>
                        {if running { "Replaying" } else { "Replay" }}
                    </Button>
                </ActionForm>
            </div>
            {group.replay.map(replay)}
            <details class="cs-behind">
                <summary>"Show samples"</summary>
                {samples}
            </details>
        </section>
    }
}

fn replay(progress: ReplayProgress) -> AnyView {
    let tried = progress.landed + progress.failed;
    match progress.finished_at {
        None => view! { <Progress label="Replay" at=Done { done: tried, total: Some(progress.total), left_s: None } unit="letters tried"/> }.into_any(),
        Some(at) => {
            let tone = if progress.failed == 0 { Tone::Ok } else { Tone::Warn };
            let words = format!("Last replay: {} of {} landed, {} failed again, ", number::whole(progress.landed), number::whole(progress.total), number::whole(progress.failed));
            view! { <Banner tone>{words} <Time at=Some(at) detail=Detail::Day/></Banner> }.into_any()
        }
    }
}
