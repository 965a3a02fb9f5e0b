//! The kit. It knows none of our nouns and calls no server function; `/dev/ui` shows every part in its states.

pub mod brand;
pub mod button;
pub mod card;
pub mod choice;
pub mod confirm;
pub mod copy;
pub mod dialog;
pub mod field;
pub mod filter;
pub mod icon;
pub mod kpi;
pub mod legend;
pub mod menu;
pub mod note;
pub mod number;
pub mod pill;
pub mod progress;
pub mod skeleton;
pub mod sparkline;
pub mod steps;
pub mod table;
pub mod time;
pub mod time_chart;
pub mod timeline;
pub mod toast;
pub mod truth;
