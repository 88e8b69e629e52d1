// Twin of `terms` in network.rs: one invocation a flower, the same operations in the same order, so the same bits.
// INPUTS, HIDDEN and SPECIES are prepended.

const FIRST_LAYER = HIDDEN * (INPUTS + 1u);
const TERMS = FIRST_LAYER + SPECIES * (HIDDEN + 1u) + 1u;

@group(0) @binding(0) var<storage, read> weights: array<f32>;
// Of each flower the inputs, then the wanted outputs.
@group(0) @binding(1) var<storage, read> flowers: array<f32>;
// Of each flower the gradient, then the loss.
@group(0) @binding(2) var<storage, read_write> terms: array<f32>;

@compute @workgroup_size(64)
fn gradient(@builtin(global_invocation_id) id: vec3<u32>) {
    let flower = id.x * (INPUTS + SPECIES);
    if flower >= arrayLength(&flowers) {
        return;
    }

    var hidden: array<f32, HIDDEN>;
    for (var h = 0u; h < HIDDEN; h++) {
        let row = h * (INPUTS + 1u);
        var sum = weights[row + INPUTS];
        for (var i = 0u; i < INPUTS; i++) {
            sum += weights[row + i] * flowers[flower + i];
        }
        hidden[h] = select(0.0, sum, sum > 0.0);
    }
    var errors: array<f32, SPECIES>;
    for (var o = 0u; o < SPECIES; o++) {
        let row = FIRST_LAYER + o * (HIDDEN + 1u);
        var sum = weights[row + HIDDEN];
        for (var h = 0u; h < HIDDEN; h++) {
            sum += weights[row + h] * hidden[h];
        }
        errors[o] = sum - flowers[flower + INPUTS + o];
    }

    var place = id.x * TERMS;
    for (var h = 0u; h < HIDDEN; h++) {
        var back = 0.0;
        for (var o = 0u; o < SPECIES; o++) {
            back += errors[o] * weights[FIRST_LAYER + o * (HIDDEN + 1u) + h];
        }
        let slope = select(0.0, back, hidden[h] > 0.0);
        for (var i = 0u; i < INPUTS; i++) {
            terms[place + i] = slope * flowers[flower + i];
        }
        terms[place + INPUTS] = slope;
        place += INPUTS + 1u;
    }
    var loss = 0.0;
    for (var o = 0u; o < SPECIES; o++) {
        for (var h = 0u; h < HIDDEN; h++) {
            terms[place + h] = errors[o] * hidden[h];
        }
        terms[place + HIDDEN] = errors[o];
        place += HIDDEN + 1u;
        loss += errors[o] * errors[o] * 0.5;
    }
    terms[place] = loss;
}
