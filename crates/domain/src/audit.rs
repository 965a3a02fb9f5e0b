//! The words of the audit log: who acts, what can be done, how it ended, and whether the chain of entries is whole.

use serde::{Deserialize, Serialize};

use crate::time::Micros;

/// What kind of somebody acted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActorKind {
    /// A member.
    Person,
    /// An installed connector.
    Agent,
    /// A service account of the workspace, or a part of the platform by itself.
    Service,
    /// One of our own people whom an owner let in, or an operator of the platform, by a command.
    Support,
}

impl ActorKind {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Agent => "agent",
            Self::Service => "service",
            Self::Support => "support",
        }
    }

    /// From the database's word, whose check knows these four.
    pub fn read(word: &str) -> Option<Self> {
        [Self::Person, Self::Agent, Self::Service, Self::Support].into_iter().find(|kind| kind.as_str() == word)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Done,
    /// The role did not allow it, or the password was wrong: nothing was changed or read.
    Refused,
}

impl Outcome {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Refused => "refused",
        }
    }

    pub fn read(word: &str) -> Option<Self> {
        [Self::Done, Self::Refused].into_iter().find(|outcome| outcome.as_str() == word)
    }
}

macro_rules! acts {
    ($($name:ident $key:literal $words:literal;)*) => {
        /// What is written down. The key stands in the log for ever: an act may be added and never renamed.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum Act {
            $(#[serde(rename = $key)] $name,)*
        }

        impl Act {
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// `noun.verb`
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $key,)* }
            }

            /// As a person says it, without who and to what.
            pub const fn words(self) -> &'static str {
                match self { $(Self::$name => $words,)* }
            }
        }
    };
}

acts! {
    SignIn "session.sign_in" "Sign in";
    SignOut "session.sign_out" "Sign out";
    EndSession "session.end" "End a session from afar";
    EndOtherSessions "session.end_others" "End all other sessions";
    EndAllSessions "session.end_all" "End all sessions of a person";
    DisableAccount "account.disable" "Disable a person's account";
    EnableAccount "account.enable" "Enable a person's account";
    AskPasswordReset "password.ask_reset" "Ask for a new password";
    ChangePassword "password.change" "Change the password";
    ResetPassword "password.reset" "Choose a new password";
    AskEmailChange "email.ask_change" "Ask for another e-mail address";
    ChangeEmail "email.change" "Change the e-mail address";
    StopEmailChange "email.stop_change" "Stop a change of the e-mail address";
    Confirm "session.confirm" "Confirm the session";
    EnrolSecondFactor "second_factor.enrol" "Add a second factor";
    RemoveSecondFactor "second_factor.remove" "Remove the second factor";
    ResetSecondFactor "second_factor.reset" "Reset a lost second factor";
    NewRecoveryCodes "second_factor.new_codes" "Make new recovery codes";
    UseRecoveryCode "second_factor.use_code" "Use a recovery code";
    AddPasskey "passkey.add" "Add a passkey";
    RemovePasskey "passkey.remove" "Remove a passkey";
    RenamePasskey "passkey.rename" "Rename a passkey";
    UsePasskey "passkey.use" "Use a passkey";
    RequireSecondFactor "workspace.require_second_factor" "Say whether members need a second factor";
    CreateWorkspace "workspace.create" "Create the workspace";
    BeginPairing "pairing.begin" "Make a pairing code";
    ReadPairing "pairing.read" "Look at a pairing";
    RefusePairing "pairing.refuse" "Refuse an agent";
    ApproveAgent "agent.approve" "Approve an agent";
    RevokeAgent "agent.revoke" "Revoke an agent";
    ReplaceAgentKey "agent.replace_key" "Ask for a new key of an agent";
    ListDeadLetters "dead_letters.list" "Read dead letters";
    ReplayDeadLetters "dead_letters.replay" "Replay dead letters";
    Rebuild "read_models.rebuild" "Rebuild the read models";
    Verify "read_models.verify" "Compare the read models with bronze";
    ReadAudit "audit.read" "Read the audit log";
    ExportAudit "audit.export" "Export the audit log";
    VerifyAudit "audit.verify" "Verify the audit log";
    ReadMembers "members.read" "List the members";
    InviteMember "member.invite" "Invite a member";
    ResendInvitation "invitation.resend" "Resend an invitation";
    RevokeInvitation "invitation.revoke" "Revoke an invitation";
    AcceptInvitation "invitation.accept" "Accept an invitation";
    ChangeRole "member.change_role" "Change a member's role";
    RemoveMember "member.remove" "Remove a member";
    LeaveWorkspace "member.leave" "Leave the workspace";
    OfferOwnership "ownership.offer" "Offer ownership";
    WithdrawOwnership "ownership.withdraw" "Withdraw an offer of ownership";
    AcceptOwnership "ownership.accept" "Accept ownership";
    ReadRetention "retention.read" "Look at retention";
    SetRetention "retention.set" "Change how long data is kept";
    PlaceHold "retention.hold" "Place a legal hold";
    LiftHold "retention.lift" "Lift a legal hold";
    RunRetention "retention.run" "Remove what is older than it is kept";
    RewriteHistory "masking.rewrite" "Rewrite history under the masks";
    ReadMasking "masking.read" "Look at masking";
    AddMask "masking.add" "Mask a field";
    RemoveMask "masking.remove" "Stop masking a field";
    ReadTokens "tokens.read" "List the API tokens";
    CreateToken "token.create" "Make an API token";
    RevokeToken "token.revoke" "Revoke an API token";
    RemoveServiceAccount "service_account.remove" "Remove a service account";
    UseToken "token.use" "Use an API token";
    ReadDomains "domain.read" "Look at the domains";
    AddDomain "domain.add" "Add a domain";
    VerifyDomain "domain.verify" "Check whether a domain is the workspace's own";
    RemoveDomain "domain.remove" "Remove a domain";
    ReadDeletion "workspace.read_deletion" "Look at what deleting the workspace removes";
    ExportWorkspace "workspace.export" "Export the workspace";
    RequestDeletion "workspace.delete" "Ask for the workspace's deletion";
    CancelDeletion "workspace.keep" "Take the workspace's deletion back";
    ReadUsage "usage.read" "Look at plan and usage";
    SetPlan "plan.set" "Set the plan";
    ReadSupport "support.list" "Look at support access";
    RequestSupport "support.request" "Ask for support access";
    ApproveSupport "support.approve" "Approve support access";
    RefuseSupport "support.refuse" "Refuse support access";
    EndSupport "support.end" "End support access";
    SupportRead "support.read" "Read as support";
    ReadSso "sso.read" "Look at single sign-on";
    SetSso "sso.set" "Set up single sign-on";
    TestSso "sso.test" "Test single sign-on";
    RequireSso "sso.require" "Say whether members have to come by single sign-on";
    RemoveSso "sso.remove" "Remove single sign-on";
    LinkSso "sso.link" "Link an account to single sign-on";
    UnlinkSso "sso.unlink" "Unlink a member from single sign-on";
    JoinBySso "sso.join" "Join by single sign-on";
    SetBreakGlass "sso.break_glass" "Say which owners may come in past single sign-on";
    UseBreakGlass "sso.use_break_glass" "Come in past single sign-on";
    SetUpWorkspace "workspace.set_up" "Set the workspace up";
    SetSite "site.set" "Name the first site and its time zone";
}

impl Act {
    pub fn read(key: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|act| act.as_str() == key)
    }
}

/// Words for an act as it stands in the log; a newer version's is shown by its key.
pub fn act_words(key: &str) -> &str {
    match Act::read(key) {
        Some(act) => act.words(),
        None => key,
    }
}

/// What a check of a workspace's chain found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainReport {
    /// Entries that were looked at, in order, up to the break if there is one.
    pub entries: u64,
    /// When the first and the last of them were written.
    pub first_at: Option<Micros>,
    pub last_at: Option<Micros>,
    /// The hash of the last entry, in hexadecimal: whoever has noted it can tell later that nothing before it was exchanged.
    pub head: String,
    /// Entries up to this place were removed by retention, and the log says so. 0: none.
    pub cut_seq: u64,
    pub broken: Option<ChainBreak>,
}

/// Where a chain stops being one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChainBreak {
    /// The entry at this place is not what was written: its hash, or its link to the one before, does not fit.
    Changed { seq: i64 },
    /// Entries from `seq` up to `last` are not there.
    Missing { seq: i64, last: i64 },
    /// Entries from `seq` up to `last`, where the head of the chain stands, are not there.
    CutEnd { seq: i64, last: i64 },
    /// The head names another last entry than the one that is there.
    Head { seq: i64 },
    /// There is no head: the log was emptied, or its head removed.
    NoHead,
    /// Entries up to `seq` are not there, and no entry tells that retention removed them.
    Untold { seq: i64 },
}

impl ChainReport {
    /// What was checked and the result, in words.
    pub fn words(&self) -> String {
        let checked = match self.entries {
            1 => "1 entry was checked".to_owned(),
            n => format!("{n} entries were checked"),
        };
        match self.broken {
            None => format!(
                "The chain is whole. {checked}: each is as it was written and follows from the one before it, none is missing, \
                 and the last is where the chain ends.{}",
                match self.cut_seq {
                    0 => String::new(),
                    seq => format!(" Entries up to {seq} were removed by retention, as the log itself says."),
                }
            ),
            Some(ChainBreak::Changed { seq }) => {
                format!("The chain is broken at entry {seq}: it was changed after it was written. {checked} before it.")
            }
            Some(ChainBreak::Missing { seq, last }) => {
                format!("The chain is broken at entry {seq}: {} missing. {checked} before it.", gap(seq, last))
            }
            Some(ChainBreak::CutEnd { seq, last }) => format!(
                "The chain is broken at entry {seq}: its end is cut off, {} missing. {checked} before it.",
                gap(seq, last)
            ),
            Some(ChainBreak::Head { seq }) => format!(
                "The chain is broken at entry {seq}: it is not the last entry that the head of the chain names. {checked}."
            ),
            Some(ChainBreak::NoHead) => {
                format!("The chain is broken: its head is missing, so nothing says where the log ends. {checked}.")
            }
            Some(ChainBreak::Untold { seq }) => format!(
                "The chain is broken before entry {}: its beginning is cut off, and no entry says that retention removed it. \
                 {checked}.",
                seq + 1
            ),
        }
    }
}

fn gap(seq: i64, last: i64) -> String {
    if last <= seq { "it is".into() } else { format!("entries {seq} to {last} are") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_act_is_read_back_and_has_words() {
        for act in Act::ALL {
            assert_eq!(Act::read(act.as_str()), Some(*act));
            assert!(act.as_str().contains('.') && !act.words().is_empty());
            assert_eq!(serde_json::to_value(act).unwrap(), act.as_str());
        }
        assert_eq!(Act::read("session.fly"), None);
        assert_eq!((act_words("session.sign_in"), act_words("session.fly")), ("Sign in", "session.fly"));
        assert_eq!(ActorKind::read("agent"), Some(ActorKind::Agent));
        assert_eq!(Outcome::read("maybe"), None);
    }

    #[test]
    fn a_break_says_where() {
        let report =
            |broken| ChainReport { entries: 4, first_at: None, last_at: None, head: String::new(), cut_seq: 0, broken };
        assert!(report(None).words().starts_with("The chain is whole. 4 entries were checked"));
        for (broken, words) in [
            (ChainBreak::Changed { seq: 5 }, "at entry 5: it was changed"),
            (ChainBreak::Missing { seq: 5, last: 5 }, "at entry 5: it is missing"),
            (ChainBreak::Missing { seq: 5, last: 7 }, "at entry 5: entries 5 to 7 are missing"),
            (ChainBreak::CutEnd { seq: 5, last: 6 }, "its end is cut off, entries 5 to 6 are missing"),
            (ChainBreak::Head { seq: 4 }, "at entry 4: it is not the last entry"),
            (ChainBreak::NoHead, "its head is missing"),
            (ChainBreak::Untold { seq: 4 }, "before entry 5: its beginning is cut off"),
        ] {
            let said = report(Some(broken)).words();
            assert!(said.contains(words), "{said}");
        }
    }
}
