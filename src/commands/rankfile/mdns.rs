//! What Open MPI 4.1 makes of hosts with names of mDNS, for those who write a rankfile or start with one.

use crate::host_name;

/// What it needs to be told where one of these hosts, with or without a user, has such a name.
pub(super) fn about<'a>(mut hosts: impl Iterator<Item = &'a str>) -> Option<String> {
    let name = hosts.find_map(|host| Some(host_name::without_user(host)).filter(|name| host_name::is_mdns(name)))?;
    Some(format!(
        "{name} is a name of mDNS: Open MPI 4.1 cuts it to {} and tries ssh to that, unless it is started with --mca orte_keep_fqdn_hostnames 1 or that name stands in /etc/hosts or ~/.ssh/config",
        host_name::short_name(name)
    ))
}
