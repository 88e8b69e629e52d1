// A counting kernel: how many of some blocks of indices count, one sum a workgroup.
//
// Prepended by src/device/gpu/shader.rs:
//   const GROUP         invocations of a workgroup
//   const LANE_BLOCKS   blocks that an invocation looks at
//   struct Params       what the kernel's text reads, and then
//                         block_low, block_high   number of the first block, in two halves; the low half does not overflow
//                                                 within a dispatch
//                         blocks                  blocks of this dispatch, at most 2^31
//   fn block_count, fn pair_count   the kernel's own file

var<immediate> params: Params;
@group(0) @binding(0) var<storage, read_write> words: array<u32>;

var<workgroup> sums: array<u32, GROUP>;

@compute @workgroup_size(GROUP)
fn counting(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) grid: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let group_index = group.y * grid.x + group.x;
    let first = group_index * (GROUP * LANE_BLOCKS);
    // Blocks of this invocation, GROUP apart.
    let mine = min((params.blocks - min(params.blocks, first + lane) + (GROUP - 1u)) / GROUP, LANE_BLOCKS);
    var count = 0u;
    var block = first + lane;
    for (var i = 1u; i < mine; i += 2u) {
        count += pair_count(block, block + GROUP);
        block += 2u * GROUP;
    }
    if (mine & 1u) == 1u {
        count += block_count(block);
    }

    sums[lane] = count;
    for (var half = GROUP / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if lane < half {
            sums[lane] += sums[lane + half];
        }
    }
    if lane == 0u && first < params.blocks {
        words[group_index] = sums[0];
    }
}
