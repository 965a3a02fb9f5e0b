//! Line icons, drawn for this app on a 24 px grid.

use leptos::prelude::*;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Symbol {
    Home,
    Plug,
    Inbox,
    Machine,
    Search,
    Sun,
    Moon,
    Screen,
    SignOut,
    Check,
    Warning,
    Copy,
    Chevron,
    Menu,
    Shield,
    Eye,
    Outward,
    Clock,
    Close,
    Plus,
    People,
    Key,
}

impl Symbol {
    const fn path(self) -> &'static str {
        match self {
            Self::Home => "M4 11.2 12 4l8 7.2V20h-5.2v-5.4H9.2V20H4z",
            Self::Plug => "M9 3.5V8m6-4.5V8M6.5 8h11v3.5a5.5 5.5 0 0 1-11 0zM12 17v3.5",
            Self::Inbox => "M4 13.5 6.6 5h10.8L20 13.5V19H4zm0 0h4.6l1.2 2.4h4.4l1.2-2.4H20",
            Self::Machine => "M4 20V9l5 3.2V9l5 3.2V5h6v15zM8 16.2h.01M12 16.2h.01M16 16.2h.01",
            Self::Search => "M10.8 17.6a6.8 6.8 0 1 0 0-13.6 6.8 6.8 0 0 0 0 13.6zM15.8 15.8 20.5 20.5",
            Self::Sun => {
                "M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM12 2.8v2m0 14.4v2M2.8 12h2m14.4 0h2M5.5 5.5l1.4 1.4m10.2 10.2 1.4 1.4m0-13-1.4 1.4M6.9 17.1l-1.4 1.4"
            }
            Self::Moon => "M19.8 14.2A8 8 0 0 1 9.8 4.2a8 8 0 1 0 10 10z",
            Self::Screen => "M3.5 5h17v11h-17zM9 20h6m-3-4v4",
            Self::SignOut => "M14 4.5H5.5v15H14M10.5 12H20m-3.4-3.5L20 12l-3.4 3.5",
            Self::Check => "m5 12.6 4.6 4.6L19.2 7",
            Self::Warning => "M12 4.2 21 19.6H3zM12 10v4.4m0 2.4h.01",
            Self::Copy => "M8.5 8.5h11v11h-11zM15.5 8.5v-4h-11v11h4",
            Self::Chevron => "m8 10 4 4 4-4",
            Self::Menu => "M4 7h16M4 12h16M4 17h16",
            Self::Shield => "M12 3.5 19 6v5.6c0 4.3-2.8 7.4-7 8.9-4.2-1.5-7-4.6-7-8.9V6zM9 12l2.2 2.2L15.4 10",
            Self::Eye => {
                "M2.8 12S6.2 5.8 12 5.8 21.2 12 21.2 12 17.8 18.2 12 18.2 2.8 12 2.8 12zM12 14.6a2.6 2.6 0 1 0 0-5.2 2.6 2.6 0 0 0 0 5.2z"
            }
            Self::Outward => "M13 5h6v6M19 5l-8.5 8.5M16.5 14v5H5V7.5h5",
            Self::Clock => "M12 20.5a8.5 8.5 0 1 0 0-17 8.5 8.5 0 0 0 0 17zM12 7.5V12l3 2",
            Self::Close => "m6 6 12 12M18 6 6 18",
            Self::Plus => "M12 5v14M5 12h14",
            Self::Key => "M8 19a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM11 12l8-8M16 7l3 3M13.5 9.5l2 2",
            Self::People => {
                "M9 11.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM2.5 19.5c0-3.3 2.9-5.5 6.5-5.5s6.5 2.2 6.5 5.5M16 11.2a3 3 0 0 0 0-5.9M18 14.6c2.2.7 3.5 2.4 3.5 4.9"
            }
        }
    }
}

/// An icon beside a word; it says nothing of its own to a screen reader.
#[component]
pub fn Icon(symbol: Symbol) -> impl IntoView {
    view! {
        <svg class="cs-icon" viewBox="0 0 24 24" aria-hidden="true">
            <path d=symbol.path()></path>
        </svg>
    }
}
