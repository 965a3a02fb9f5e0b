//! `/dev/ui`: every part of the kit in its states. The values are examples of the drawing.

use leptos::prelude::*;
use leptos_meta::Title;

use crate::{
    layout::theme::ThemeSwitch,
    ui::{
        button::{Button, Kind},
        card::Card,
        checks::{Check, Checks},
        choice::Choice,
        confirm::Confirm,
        copy::CopyCode,
        dialog::Dialog,
        field::Field,
        filter::{FilterChoice, FilterInput, Filters},
        icon::{Icon, Symbol},
        kpi::Kpi,
        legend::{SeriesLegend, StateLegend},
        listed::Listed,
        menu::{Menu, MenuLink, Place},
        note::{Banner, EmptyNote, ErrorNote},
        number::Number,
        pill::{Pill, Tone},
        progress::{Done, Progress},
        qr::Qr,
        skeleton::{Shape, Skeleton},
        sparkline::Sparkline,
        steps::{Step, StepLink, StepLinks, Steps},
        table::{Column, Pager, Table, Turner},
        time::Time,
        time_chart::{Line, Lines, TimeChart},
        timeline::{Bar, Row, Timeline},
        toast::Toaster,
        truth::TruthBadge,
    },
};

const SYMBOLS: [Symbol; 20] = [
    Symbol::Home,
    Symbol::Plug,
    Symbol::Inbox,
    Symbol::Machine,
    Symbol::Search,
    Symbol::Sun,
    Symbol::Moon,
    Symbol::Screen,
    Symbol::SignOut,
    Symbol::Check,
    Symbol::Warning,
    Symbol::Copy,
    Symbol::Chevron,
    Symbol::Menu,
    Symbol::Shield,
    Symbol::Outward,
    Symbol::Clock,
    Symbol::Close,
    Symbol::Plus,
    Symbol::People,
];
/// 2026-01-05 08:00:00 UTC.
const FROM: i64 = 1_767_600_000_000_000;
const MINUTE: i64 = 60_000_000;

#[component]
pub fn GalleryPage() -> impl IntoView {
    view! {
        <Title text="The kit"/>
        <main class="cs-gallery" id="main">
            <div class="cs-head"><div class="cs-head__text"><h1>"The kit"</h1><p>"Every part in its states; values are examples"</p></div><ThemeSwitch/></div>
            <Words/>
            <Figures/>
            <Charts/>
            <Lists/>
            <Forms/>
        </main>
    }
}

#[component]
fn Words() -> impl IntoView {
    let tones = [(Tone::Ok, "Running"), (Tone::Warn, "Set-up"), (Tone::Bad, "Down 12 min"), (Tone::Idle, "Idle")];
    let truths = [
        (Tone::Idle, "Not connected yet"),
        (Tone::Ok, "Live"),
        (Tone::Idle, "Quiet"),
        (Tone::Warn, "Delayed"),
        (Tone::Bad, "Blind"),
    ];
    view! {
        <Card title="Words, icons, numbers">
            <div class="cs-stack">
                <div class="cs-row">{tones.map(|(tone, word)| view! { <Pill tone text=word/> }).collect_view()}</div>
                <div class="cs-row">{truths.map(|(tone, word)| view! { <TruthBadge tone word why="an example"/> }).collect_view()}</div>
                <div class="cs-row">{SYMBOLS.map(|symbol| view! { <Icon symbol/> }).collect_view()}</div>
                <div class="cs-row"><Number value=Some("1\u{2009}284".to_owned()) unit="units/h"/><Number value=None/><Time at=Some(FROM)/></div>
                <Steps label="Example" at=1 steps=vec![Step { name: "Install", remark: "done".into() }, Step { name: "Approve", remark: "now".into() }, Step { name: "First event", remark: "later".into() }]/>
                <StepLinks label="Example of steps in any order" steps=vec![StepLink { name: "Place", remark: "skipped", href: "#place".into(), done: false, now: false }, StepLink { name: "People", remark: "done", href: "#people".into(), done: true, now: false }, StepLink { name: "Source", remark: "", href: "#source".into(), done: false, now: true }]/>
            </div>
        </Card>
    }
}

#[component]
fn Figures() -> impl IntoView {
    let values: Vec<Option<f64>> = (0..60).map(|n| (n % 17 != 5).then_some(f64::from((n * 37) % 23))).collect();
    view! {
        <div class="cs-grid">
            <Kpi name="Machines running" value=Some("18".to_owned()) unit="of 20" remark="by their own state"/>
            <Kpi name="Availability" value=None unit="%" remark="not known yet"/>
            <Kpi name="Events" value=Some("7\u{2009}064".to_owned()) unit="per second" line=Some(view! { <Sparkline values label="Example" filled=true/> }.into_any())/>
            <div class="cs-card cs-kpi" data-span="3"><Skeleton shape=Shape::Line/><Skeleton shape=Shape::Value/><Skeleton shape=Shape::Line/></div>
        </div>
    }
}

#[component]
fn Charts() -> impl IntoView {
    let line = |name: &str, base: f64| Line {
        name: name.to_owned(),
        values: (0..120).map(|n| (n / 10 != 6).then(|| base + (f64::from(n) / 9.0 + base).sin() * 6.0)).collect(),
    };
    let lines = Lines {
        name: "Spindle temperature".into(),
        unit: "°C".into(),
        from: FROM,
        step_us: MINUTE,
        series: vec![line("CNC-04", 62.0), line("CNC-07", 74.0), line("Press-12", 81.0), line("Furnace-2", 95.0)],
    };
    let names: Vec<String> = lines.series.iter().map(|line| line.name.clone()).collect();
    let bar = |from: i64, to: i64, state: &'static str| Bar {
        from: FROM + from * MINUTE,
        to: FROM + to * MINUTE,
        state,
        words: state.into(),
    };
    let rows = vec![
        Row { name: "CNC-04".into(), bars: vec![bar(0, 40, "running"), bar(40, 48, "down"), bar(48, 120, "running")] },
        Row {
            name: "Press-12".into(),
            bars: vec![bar(0, 20, "idle"), bar(20, 35, "set_up"), bar(35, 90, "running"), bar(95, 120, "planned")],
        },
    ];
    let legend = view! { <SeriesLegend names/> }.into_any();
    let states = view! { <StateLegend states=vec![("running", "Running"), ("set_up", "Set-up"), ("idle", "Idle"), ("down", "Down"), ("planned", "Planned stop")]/> }.into_any();
    view! {
        <Card title="Spindle temperature" remark="1 min average, °C" aside=legend><TimeChart lines on_zoom=Callback::new(|_| ())/></Card>
        <Card title="Machine states" remark="2 h" aside=states><Timeline rows range=(FROM, FROM + 120 * MINUTE)/></Card>
    }
}

#[component]
fn Lists() -> impl IntoView {
    let columns = vec![Column::new("Asset"), Column::new("Line"), Column::new("State"), Column::end("Temperature")];
    view! {
        <Card title="Table">
            <Table caption="Example" columns>
                <tr><th scope="row">"CNC-04"</th><td data-beside="">"Line A"</td><td data-label="State"><Pill tone=Tone::Ok text="Running"/></td><td data-align="end" data-label="Temperature"><Number value=Some("84.2".to_owned()) unit="°C"/></td></tr>
                <tr><th scope="row">"CNC-07"</th><td data-beside="">"Line A"</td><td data-label="State"><Pill tone=Tone::Bad text="Down 12 min"/></td><td data-align="end" data-label="Temperature"><Number value=Some("31.0".to_owned()) unit="°C"/></td></tr>
            </Table>
            <Pager page=1 per_page=25 total=212 previous="#p".into() next="#n".into()/>
            <Turner words="Entries 81 to 130" newer=Some("#newer".into()) older=Some("#older".into())/>
        </Card>
        <Card title="Filters">
            <Filters action="/dev/ui".into() label="Example" clear=Some("#all".into())>
                <FilterInput name="day" label="From" kind="date" value=Some("2026-01-05".into())/>
                <FilterChoice name="state" label="State" choices=vec![(String::new(), "All".into()), ("down".into(), "Down".into())] value=Some("down".into())/>
                <FilterInput name="name" label="Machine" placeholder="Part of its name" value=None/>
            </Filters>
        </Card>
        <Card title="Progress">
            <div class="cs-stack"><Progress label="Known" at=Done { done: 812_000, total: Some(1_284_310), left_s: Some(74) } unit="rows"/><Progress label="Not known" at=Done { done: 812_000, total: None, left_s: None } unit="rows"/></div>
        </Card>
        <Card title="Empty"><EmptyNote symbol=Symbol::Plug title="No source is connected" message="Connect a database you already have."><Button kind=Kind::Primary>"Connect a source"</Button></EmptyNote></Card>
        <Card title="Error"><ErrorNote title="This could not be loaded" message="Clarity Stream cannot be reached." retry=Some(Callback::new(|()| ()))/></Card>
        <Card title="Loading"><Skeleton shape=Shape::Title/><Skeleton shape=Shape::Row/><Skeleton shape=Shape::Row/></Card>
    }
}

#[component]
fn Forms() -> impl IntoView {
    let open = RwSignal::new(false);
    let toaster: Toaster = expect_context();
    let roles = vec![("operator".to_owned(), "Operator".to_owned()), ("viewer".to_owned(), "Viewer".to_owned())];
    let kinds = [(Kind::Primary, "Primary"), (Kind::Plain, "Plain"), (Kind::Quiet, "Quiet"), (Kind::Danger, "Danger")];
    view! {
        <Card title="Buttons, fields, dialogs">
            <div class="cs-stack">
                <div class="cs-row">
                    {kinds.map(|(kind, word)| view! { <Button kind>{word}</Button> }).collect_view()}
                    <Button disabled=true>"Disabled"</Button>
                    <Button on:click=move |_| open.set(true)>"Dialog"</Button>
                    <Button on:click=move |_| toaster.say("Something was done")>"News"</Button>
                    <Button attr:popovertarget="gallery-menu">"Menu"</Button>
                    <Confirm id="gallery-confirm" act="Remove" label="Remove Maja Lind" question="Remove Maja Lind?" message="She loses access within seconds. What she did stays.">
                        <Button kind=Kind::Danger>"Remove"</Button>
                    </Confirm>
                </div>
                <Menu id="gallery-menu" label="Example" place=Place::TopEnd><MenuLink href="#one" current=true>"One"</MenuLink><MenuLink href="#two">"Two"</MenuLink></Menu>
                <Listed name="listed" label="Time zone" value="UTC" choices=vec!["Europe/Oslo".to_owned(), "UTC".to_owned()] help="Type, or choose"/>
                <Field name="plain" label="Work e-mail" kind="email" help="Where we reach you"/>
                <Field name="wrong" label="Password" kind="password" error=Some("At least 12 characters.".to_owned())/>
                <Choice id="gallery-role" name="role" label="Role" choices=roles.clone() value="viewer"/>
                <Checks id="gallery-scopes" name="scopes[]" legend="May read" checks=vec![Check { value: "read:assets".into(), words: "Machines".into() }]/>
                <div class="cs-row"><Choice id="gallery-role-low" name="role" label="Role of Maja Lind" choices=roles value="operator" low=true/></div>
                <CopyCode code="alter system set wal_level = logical;" what="the statement"/>
                // The corners only: a real one is made by the server.
                <Qr modules=21 path="M0 0h7v7h-7zM14 0h7v7h-7zM0 14h7v7h-7z".to_owned() label="Example"/>
                <Banner tone=Tone::Bad>"The code has expired. Make a new one."</Banner>
                <Banner tone=Tone::Ok>"All 12 letters landed."</Banner>
            </div>
        </Card>
        <Dialog open title="A dialog"><p>"Esc closes it, and focus goes back to the button."</p></Dialog>
    }
}
