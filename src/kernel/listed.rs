//! Enums of kernels that know all of their kinds, so that none can be left out of the list. Knows no kernel.

/// An enum of kernels with a constant `ALL`, one of each kind in their order, as given behind the kind's name.
macro_rules! listed {
    ($(#[$about:meta])* pub enum $name:ident { $($(#[$about_kernel:meta])* $kernel:ident = $one:expr,)* }) => {
        $(#[$about])*
        pub enum $name { $($(#[$about_kernel])* $kernel($kernel),)* }

        impl $name {
            /// One of each kind, with parameters of no importance.
            pub const ALL: [Self; [$(stringify!($kernel)),*].len()] = [$(Self::$kernel($one)),*];
        }
    };
}

pub(super) use listed;
