//! What a person has to do at the source, with the exact statements.

use clarity_domain::view::sources::{Problem, Severity, SourceRow};
use leptos::prelude::*;

use crate::ui::{
    card::Card,
    copy::CopyCode,
    pill::{Pill, Tone},
    time::{Detail, Time},
};

#[component]
pub fn Problems(source: Memo<SourceRow>) -> impl IntoView {
    let problems = Memo::new(move |_| source.with(|source| source.problems.clone()));
    move || {
        let problems = problems.get();
        (!problems.is_empty()).then(|| {
            view! {
                <Card title="What needs you" remark=if problems.len() == 1 { "1 thing".to_owned() } else { format!("{} things", problems.len()) }>
                    {problems.into_iter().map(draw).collect_view()}
                </Card>
            }
        })
    }
}

fn draw(problem: Problem) -> impl IntoView {
    let (tone, word) = match problem.severity {
        Severity::Attention => (Tone::Warn, "Attention"),
        Severity::Stopped => (Tone::Bad, "Stopped"),
    };
    view! {
        <article class="cs-problem">
            <div class="cs-problem__head">
                <Pill tone text=word/>
                <b>{problem.message}</b>
                {problem.since.map(|since| view! { <small class="cs-quiet">"since " <Time at=Some(since) detail=Detail::Day/></small> })}
            </div>
            {problem.fix.map(|fix| view! { <p class="cs-quiet">{fix}</p> })}
            {problem.sql.map(|sql| view! { <CopyCode code=sql what="the statements"/> })}
        </article>
    }
}
