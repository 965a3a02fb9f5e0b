pub const ROLES: &[&str] = &[];
pub struct TestDb;
